internal import EthereumAdapter
internal import Host
internal import Primitives
internal import Transport

/// Gives the bench's accounts what they will transfer, from an account that has it.
struct Funder {
    private let wallet: Wallet
    private let session: NodeSession
    private let node: HTTPEndpoint
    private let chainID: UInt64
    private let gasPrice: UInt256
    private var nonce: UInt64

    /// Wei that an account gets beyond what its gas may cost.
    static let etherEach = UInt256(1_000_000_000_000_000 as UInt64)
    /// Units of the token that an account gets.
    static let tokensEach = UInt256(1_000_000_000 as UInt64)
    private static let batch = 100
    private static let busyAttemptsMax = 500

    /// Reads chain id, gas price and the funder's nonce from the network.
    init(wallet: Wallet, session: NodeSession, node: HTTPEndpoint) async throws(BenchError) {
        self.wallet = wallet
        self.session = session
        self.node = node
        chainID = try await session.call("eth_chainId", [], of: node).result.asUInt64()
        gasPrice = try await session.call("eth_gasPrice", [], of: node).result.asUInt256()
        nonce = try await session.call(
            "eth_getTransactionCount", [.string(wallet.address.hex), "latest"], of: node
        ).result.asUInt64()
    }

    /// The plan of transfers among `wallets`, who have what they need when this returns.
    /// - Parameter transfersEach: transfers that an account's ether must pay the gas of.
    mutating func prepare(
        _ workload: Workload, wallets: [Wallet], transfersEach: UInt64
    ) async throws(BenchError) -> TransferPlan {
        let gas: UInt64 = workload == .erc20 ? 100_000 : TransferPlan.etherGas
        let ether = Self.etherEach &+ gasPrice &* UInt256(gas) &* UInt256(transfersEach)
        if workload == .transfers || !gasPrice.isZero {
            try await send(
                wallets.map { wallet in
                    transaction(to: wallet.address, gas: TransferPlan.etherGas, value: ether)
                })
        }
        guard workload == .erc20 else {
            return plan(.ether, wallets)
        }
        let contract = try await deploy(supply: Self.tokensEach &* UInt256(wallets.count))
        try await send(
            wallets.map { wallet in
                transaction(
                    to: contract, gas: 100_000, input: Token.transfer(to: wallet.address, amount: Self.tokensEach))
            })
        return plan(.token(contract), wallets)
    }

    private func plan(_ asset: TransferPlan.Asset, _ wallets: [Wallet]) -> TransferPlan {
        TransferPlan(asset: asset, wallets: wallets, chainID: chainID, gasPrice: gasPrice)
    }

    private mutating func transaction(
        to: Address?, gas: UInt64, value: UInt256 = .zero, input: [UInt8] = []
    ) -> SignedTransaction {
        defer { nonce += 1 }
        return wallet.sign(
            Transaction(
                kind: .dynamicFee, chainID: chainID, nonce: nonce, maxPriorityFeePerGas: gasPrice,
                maxFeePerGas: gasPrice, gasLimit: gas, to: to, value: value, input: input))
    }

    private mutating func deploy(supply: UInt256) async throws(BenchError) -> Address {
        let creation = transaction(to: nil, gas: 2_000_000, input: Token.initCode + supply.bytes)
        try await send([creation])
        let receipt = try await session.call(
            "eth_getTransactionReceipt", [.string(creation.hash.hex)], of: node
        ).result
        guard receipt["status"]?.string == "0x1",
            let contract = receipt["contractAddress"]?.string.flatMap({ Address(hex: $0) })
        else {
            throw .refused("the token contract was not made: \(String(decoding: receipt.serialized(), as: UTF8.self))")
        }
        return contract
    }

    /// Sends transactions in order, again if the network is busy, and waits until all are committed.
    private func send(_ transactions: [SignedTransaction]) async throws(BenchError) {
        var start = 0
        var attempts = 0
        while start < transactions.count {
            let part = transactions[start..<min(transactions.count, start + Self.batch)]
            let calls = part.enumerated().map { index, transaction in
                RPCText.submit(hex: Array(Hex.encodePrefixed(transaction.encoded).utf8), id: index)
            }
            let answers = try await session.batchAnswers(RPCText.batch(calls), count: part.count, of: node)
            // What comes behind a busy answer waits for its nonce; both go again.
            var done = 0
            for answer in answers {
                if answer["result"]?.string != nil {
                    done += 1
                    continue
                }
                if answer["error"]?["code"]?.integer == RPCText.busyCode { break }
                throw .refused(
                    "funding the accounts from \(wallet.address.hex): "
                        + (answer["error"]?["message"]?.string ?? "no answer"))
            }
            start += done
            guard done < part.count else { continue }
            attempts += 1
            guard attempts < Self.busyAttemptsMax else { throw .busy("the network takes no transactions: busy") }
            do { try await Task.sleep(for: .milliseconds(20)) } catch { throw .timeout("cancelled") }
        }
        try await waitUntilExecuted()
    }

    private func waitUntilExecuted() async throws(BenchError) {
        let deadline = HostClock.monotonicMicroseconds() + 60_000_000
        while true {
            let reached = try await session.call(
                "eth_getTransactionCount", [.string(wallet.address.hex), "latest"], of: node
            ).result.asUInt64()
            if reached >= nonce { return }
            guard HostClock.monotonicMicroseconds() < deadline else {
                throw .timeout("the funder's transactions are not executed: nonce \(reached) of \(nonce)")
            }
            do { try await Task.sleep(for: .milliseconds(20)) } catch { throw .timeout("cancelled") }
        }
    }
}

extension JSON {
    /// A quantity of JSON-RPC.
    func asUInt256() throws(BenchError) -> UInt256 {
        guard let value = string.flatMap({ UInt256(hex: $0) }) else {
            throw .unexpectedAnswer(
                "an answer is no quantity: \(String(decoding: serialized().prefix(100), as: UTF8.self))")
        }
        return value
    }

    /// A quantity of JSON-RPC below 2^64.
    func asUInt64() throws(BenchError) -> UInt64 {
        guard let value = try asUInt256().asUInt64 else { throw .unexpectedAnswer("a quantity is over 64 bits") }
        return value
    }
}
