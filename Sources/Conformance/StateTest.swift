public import EVM
public import EthereumAdapter
public import Primitives

/// One test of the public state-test format: a small world, a transaction in variants, and for each fork and variant
/// the state root and the hash of the logs that come out.
public struct StateTest: Sendable {
    /// One expectation.
    public struct Variant: Sendable {
        /// The rules.
        public let fork: Fork
        /// Which of the transaction's data, gas limits and values.
        public let data: Int
        /// Index of the gas limit.
        public let gas: Int
        /// Index of the value.
        public let value: Int
        /// Expected state root.
        public let stateRoot: Bytes32
        /// Expected Keccak-256 of the RLP of the logs.
        public let logsHash: Bytes32
        /// What the transaction is refused for; nil if it runs.
        public let exception: String?
        /// The signed transaction, in newer files.
        public let signed: [UInt8]?
    }

    /// The test's name.
    public let name: String
    /// Its variants in the file's order.
    public let variants: [Variant]
    private let environment: CaseFields
    private let transaction: CaseFields
    private let world: EthereumAdapter::WorldState

    init(_ name: String, _ test: CaseFields) throws(CaseFileError) {
        self.name = name
        environment = try test.fields("env")
        transaction = try test.fields("transaction")
        var world = EthereumAdapter::WorldState()
        world.apply(try test.fields("pre").world())
        self.world = world
        var variants: [Variant] = []
        let post = try test.fields("post")
        for member in post.object.members {
            guard let fork = Fork(caseName: member.name) else { throw post.error(member.name, "unknown fork") }
            for entry in try post.list(member.name) {
                let indexes = try entry.fields("indexes")
                variants.append(
                    Variant(
                        fork: fork, data: try indexes.index("data"), gas: try indexes.index("gas"),
                        value: try indexes.index("value"), stateRoot: try entry.hash("hash"),
                        logsHash: try entry.hash("logs"),
                        exception: entry.has("expectException") ? try entry.string("expectException") : nil,
                        signed: entry.has("txbytes") ? try entry.bytes("txbytes") : nil))
            }
        }
        self.variants = variants
    }

    /// What a variant came to: nil if as expected, else what is wrong.
    /// - Throws: ``CaseFileError`` if the file doesn't make sense.
    public func run(_ variant: Variant, codeCache: CodeCache) throws(CaseFileError) -> String? {
        var processor = BlockProcessor(
            on: world, environment: try blockEnvironment(variant.fork), fork: variant.fork, codeCache: codeCache,
            blockHash: { Keccak256.hash(Array(String($0).utf8)) })
        var logs: [Log] = []
        var refusal: TransactionError?
        do {
            let (transaction, sender) = try sent(variant)
            logs = try processor.execute(transaction, sender: sender).logs
        } catch let error as TransactionError {
            refusal = error
        } catch let error as CaseFileError {
            throw error
        } catch { return "\(error)" }
        // The tests' maker pays a reward of nothing, which touches the beneficiary.
        processor.credit(processor.environment.coinbase, .zero)
        var after = world
        after.apply(processor.finish().diff)
        if let refusal, variant.exception == nil { return "refused: \(refusal)" }
        if refusal == nil, let exception = variant.exception { return "not refused for \(exception)" }
        let logsHash = Keccak256.hash(RLPWriter.list { list in for log in logs { log.encode(to: &list) } })
        if logsHash != variant.logsHash { return "logs hash \(logsHash), not \(variant.logsHash)" }
        let root = after.stateRoot()
        return root == variant.stateRoot ? nil : "state root \(root), not \(variant.stateRoot)"
    }

    private func blockEnvironment(_ fork: Fork) throws(CaseFileError) -> BlockEnvironment {
        var block = BlockEnvironment(
            number: try environment.integer("currentNumber"), timestamp: try environment.integer("currentTimestamp"),
            coinbase: try environment.address("currentCoinbase"),
            gasLimit: try environment.quantity("currentGasLimit").clampedToUInt64)
        if fork < .paris { block.difficulty = try environment.quantity("currentDifficulty") }
        if fork >= .paris { block.prevRandao = try environment.hash("currentRandom") }
        if fork >= .london { block.baseFee = try environment.quantity("currentBaseFee") }
        if fork >= .cancun {
            let excess = try environment.integer("currentExcessBlobGas")
            block.blobBaseFee = FeeRules.blobBaseFee(excess: excess, .schedule(fork))
        }
        return block
    }

    // MARK: The transaction

    /// The variant's transaction and sender: by the signed bytes if the file has them, else from the fields.
    private func sent(_ variant: Variant) throws -> (Transaction, Address) {
        if let signed = variant.signed {
            let signed = try SignedTransaction(decoding: signed)
            return (signed.transaction, try signed.sender(chainID: 1, fork: variant.fork))
        }
        return (try built(variant), try transaction.address("sender"))
    }

    private func built(_ variant: Variant) throws -> Transaction {
        let input = try element("data", variant.data)
        guard let input = CaseFields.bytes(input) else { throw transaction.error("data", "not hex bytes") }
        guard let gas = CaseFields.quantity(try element("gasLimit", variant.gas))?.asUInt64 else {
            throw TransactionError(.malformed, "gasLimit")
        }
        // The files write values that don't fit on purpose.
        guard let value = CaseFields.quantity(try element("value", variant.value)) else {
            throw TransactionError(.malformed, "value")
        }
        var accessList: [Transaction.AccessListEntry]?
        if transaction.has("accessLists") {
            let lists = try transaction.array("accessLists")
            guard lists.indices.contains(variant.data) else { throw transaction.error("accessLists", "too short") }
            if let entries = lists[variant.data].array { accessList = try StateTest.accessList(entries) }
        }
        let to = try transaction.string("to")
        let recipient = to.isEmpty || to == "0x" ? nil : try transaction.address("to")
        let nonce = try transaction.integer("nonce")
        if transaction.has("gasPrice") {
            return Transaction(
                chainID: 1, nonce: nonce, gasPrice: try transaction.quantity("gasPrice"), gasLimit: gas,
                to: recipient, value: value, input: input, accessList: accessList)
        }
        var typed = Transaction(
            kind: .dynamicFee, chainID: 1, nonce: nonce,
            maxPriorityFeePerGas: try transaction.quantity("maxPriorityFeePerGas"),
            maxFeePerGas: try transaction.quantity("maxFeePerGas"), gasLimit: gas, to: recipient, value: value,
            input: input, accessList: accessList ?? [])
        if transaction.has("maxFeePerBlobGas") {
            typed.kind = .blob
            typed.maxFeePerBlobGas = try transaction.quantity("maxFeePerBlobGas")
            typed.blobVersionedHashes = try transaction.hashes("blobVersionedHashes")
        }
        if transaction.has("authorizationList") {
            typed.kind = .setCode
            typed.authorizations = try transaction.list("authorizationList").map { try StateTest.authorization($0) }
        }
        return typed
    }

    private func element(_ name: String, _ index: Int) throws(CaseFileError) -> String {
        let array = try transaction.array(name)
        guard array.indices.contains(index), let text = array[index].string else {
            throw transaction.error("\(name)[\(index)]", "not a string")
        }
        return text
    }

    private static func authorization(_ fields: CaseFields) throws -> Authorization {
        guard let parity = UInt8(exactly: try fields.integer(fields.has("yParity") ? "yParity" : "v")) else {
            throw TransactionError(.malformed, "authorizationList: yParity")
        }
        return Authorization(
            chainID: try fields.quantity("chainId"), address: try fields.address("address"),
            nonce: try fields.integer("nonce"), yParity: parity, r: try fields.quantity("r"),
            s: try fields.quantity("s"))
    }

    private static func accessList(_ entries: [JSON]) throws(CaseFileError) -> [Transaction.AccessListEntry] {
        var list: [Transaction.AccessListEntry] = []
        for entry in entries {
            let fields = try CaseFields(entry, "transaction.accessLists")
            list.append(.init(address: try fields.address("address"), slots: try fields.hashes("storageKeys")))
        }
        return list
    }
}
