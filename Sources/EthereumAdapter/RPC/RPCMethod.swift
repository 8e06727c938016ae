import AdapterKit
import Primitives

/// One call with what its handler may use.
struct RPCCall {
    let parameters: RPCParameters
    let query: RPCServer.Circumstances
}

/// A row of the method table: everything about a method is said here once; dispatch, the check of the number of
/// parameters, `rpc_modules` and the documentation derive from it.
struct RPCMethod: Sendable {
    typealias Reader = @Sendable (RPCServer) -> (RPCCall) throws(RPCError) -> JSON
    typealias Writer = @Sendable (RPCServer) -> (RPCCall) throws(RPCError) -> WriteStep

    /// What a writing method leads to.
    enum WriteStep {
        /// It needs no entry.
        case answered(JSON)
        /// This body must be executed. `hash` names it if the outcome stays unknown.
        case submit([UInt8], hash: Bytes32)
        /// The same with the answer of a service outside, which is asked first.
        case ask(OutsideCall, submit: [UInt8], hash: Bytes32)
    }

    /// How it is served.
    enum Action: Sendable {
        case read(Reader)
        case write(Writer)
    }

    let name: String
    /// Names of the parameters by position; those with `?` may be left out.
    let parameters: [String]
    let action: Action

    static func read(_ name: String, _ parameters: [String] = [], _ reader: @escaping Reader) -> RPCMethod {
        .init(name: name, parameters: parameters, action: .read(reader))
    }

    static func write(_ name: String, _ parameters: [String] = [], _ writer: @escaping Writer) -> RPCMethod {
        .init(name: name, parameters: parameters, action: .write(writer))
    }

    /// Checks the number of parameters with go-ethereum's texts.
    func check(_ values: [JSON]) throws(RPCError) {
        guard values.count <= parameters.count else {
            throw .invalidParameters("too many arguments, want at most \(parameters.count)")
        }
        let required = parameters.prefix { !$0.hasSuffix("?") }.count
        guard values.count >= required else {
            throw .invalidParameters("missing value for required argument \(values.count)")
        }
    }

    /// All methods by name.
    static let byName: [String: RPCMethod] = {
        var table: [String: RPCMethod] = [:]
        for method in all {
            precondition(table.updateValue(method, forKey: method.name) == nil, "\(method.name) is in the table twice")
        }
        return table
    }()

    /// The table.
    static let all: [RPCMethod] = [
        // The chain and its node.
        .read("eth_chainId", [], RPCServer.chainID),
        .read("eth_syncing", [], RPCServer.syncing),
        .read("eth_blockNumber", [], RPCServer.blockNumber),
        .read("eth_accounts", [], RPCServer.accounts),
        .read("net_version", [], RPCServer.networkVersion),
        .read("net_listening", [], RPCServer.listening),
        .read("net_peerCount", [], RPCServer.peerCount),
        .read("web3_clientVersion", [], RPCServer.clientVersion),
        .read("web3_sha3", ["data"], RPCServer.keccak),
        .read("rpc_modules", [], RPCServer.modules),
        // Fees.
        .read("eth_gasPrice", [], RPCServer.gasPrice),
        .read("eth_maxPriorityFeePerGas", [], RPCServer.maxPriorityFeePerGas),
        .read("eth_blobBaseFee", [], RPCServer.blobBaseFee),
        .read("eth_feeHistory", ["blockCount", "newestBlock", "rewardPercentiles?"], RPCServer.feeHistory),
        // State.
        .read("eth_getBalance", ["address", "block?"], RPCServer.getBalance),
        .read("eth_getStorageAt", ["address", "slot", "block?"], RPCServer.getStorageAt),
        .read("eth_getTransactionCount", ["address", "block?"], RPCServer.getTransactionCount),
        .read("eth_getCode", ["address", "block?"], RPCServer.getCode),
        .read("eth_getProof", ["address", "slots", "block?"], RPCServer.getProof),
        // Blocks.
        .read("eth_getBlockByHash", ["hash", "full?"], RPCServer.getBlockByHash),
        .read("eth_getBlockByNumber", ["block", "full?"], RPCServer.getBlockByNumber),
        .read("eth_getBlockReceipts", ["block"], RPCServer.getBlockReceipts),
        .read("eth_getBlockTransactionCountByHash", ["hash"], RPCServer.getTransactionCountByHash),
        .read("eth_getBlockTransactionCountByNumber", ["block"], RPCServer.getTransactionCountByNumber),
        .read("eth_getUncleCountByBlockHash", ["hash"], RPCServer.getUncleCountByHash),
        .read("eth_getUncleCountByBlockNumber", ["block"], RPCServer.getUncleCountByNumber),
        .read("eth_getUncleByBlockHashAndIndex", ["hash", "index"], RPCServer.getUncle),
        .read("eth_getUncleByBlockNumberAndIndex", ["block", "index"], RPCServer.getUncle),
        // Transactions.
        .read("eth_getTransactionByHash", ["hash"], RPCServer.getTransactionByHash),
        .read("eth_getTransactionByBlockHashAndIndex", ["hash", "index"], RPCServer.getTransactionByBlockHash),
        .read("eth_getTransactionByBlockNumberAndIndex", ["block", "index"], RPCServer.getTransactionByBlockNumber),
        .read("eth_getTransactionReceipt", ["hash"], RPCServer.getTransactionReceipt),
        .read("eth_getRawTransactionByHash", ["hash"], RPCServer.getRawTransaction),
        .read("entente_transactionID", ["hash"], RPCServer.ledgerTransactionID),
        .read("txpool_status", [], RPCServer.poolStatus),
        .read("txpool_content", [], RPCServer.poolContent),
        .read("txpool_contentFrom", ["address"], RPCServer.poolContentFrom),
        .write("eth_sendRawTransaction", ["data"], RPCServer.sendRawTransaction),
        .write("entente_ask", ["service", "request", "transaction"], RPCServer.ask),
        // Logs and filters.
        .read("eth_getLogs", ["filter"], RPCServer.getLogs),
        .read("eth_newFilter", ["filter"], RPCServer.newFilter),
        .read("eth_newBlockFilter", [], RPCServer.newBlockFilter),
        .read("eth_newPendingTransactionFilter", ["full?"], RPCServer.newPendingTransactionFilter),
        .read("eth_getFilterChanges", ["id"], RPCServer.getFilterChanges),
        .read("eth_getFilterLogs", ["id"], RPCServer.getFilterLogs),
        .read("eth_uninstallFilter", ["id"], RPCServer.uninstallFilter),
        // Calls.
        .read("eth_call", ["call", "block?", "overrides?"], RPCServer.call),
        .read("eth_estimateGas", ["call", "block?", "overrides?"], RPCServer.estimateGas),
        .read("eth_createAccessList", ["call", "block?"], RPCServer.createAccessList),
        // Replay, refused unless the genesis allows it.
        .write("entente_replayLoad", ["world"], RPCServer.replayLoad),
        .write("entente_replayBlock", ["transactions"], RPCServer.replayBlock),
        .read("entente_replayResult", ["block?"], RPCServer.replayResult),
    ]
}
