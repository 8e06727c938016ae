import EVM
public import Primitives

extension ReplayOutcome {
    /// Reads the result of `entente_replayResult`, for ``ReplayCase/compare(_:)``.
    /// - Parameters:
    ///   - result: The JSON result.
    ///   - replay: The case that was loaded; fields of accounts that didn't change are taken from it.
    /// - Throws: ``CaseFileError`` naming the member.
    public init(replayResult result: JSON, of replay: ReplayCase) throws(CaseFileError) {
        let fields = try CaseFields(result, "")
        var receipts: [Receipt] = []
        for entry in try fields.list("receipts") { receipts.append(try Receipt(rpc: entry)) }
        var diff = StateDiff()
        let changes = try fields.fields("postStateDiff")
        for member in changes.object.members {
            guard let address = Address(hex: member.name) else { throw changes.error(member.name, "not an address") }
            if member.value.isNull {
                diff.accounts.updateValue(nil, forKey: address)
                continue
            }
            let change = try CaseFields(member.value, "postStateDiff.\(member.name)")
            let before: AccountState? = replay.preState.accounts[address] ?? nil
            var account = before ?? AccountState()
            if change.has("balance") { account.balance = try change.quantity("balance") }
            if change.has("nonce") { account.nonce = try change.integer("nonce") }
            if change.has("code") {
                let code = try change.bytes("code")
                account.codeHash = Keccak256.hash(code)
                diff.codes[account.codeHash] = code
            }
            diff.accounts.updateValue(account, forKey: address)
            guard change.has("storage") else { continue }
            for (slot, value) in try change.fields("storage").slots() {
                diff.storage[StorageKey(address, slot)] = value
            }
        }
        self.init(
            receipts: receipts, preStateRoot: try fields.hash("preStateRoot"),
            postStateRoot: try fields.hash("stateRoot"), diff: diff)
    }
}

extension Receipt {
    /// Reads a receipt of JSON-RPC.
    init(rpc fields: CaseFields) throws(CaseFileError) {
        guard let type = UInt8(exactly: try fields.integer("type")), let kind = Transaction.Kind(rawValue: type) else {
            throw fields.error("type", "unknown")
        }
        var logs: [Log] = []
        for log in try fields.list("logs") {
            logs.append(
                Log(
                    address: try log.address("address"), topics: try log.hashes("topics"), data: try log.bytes("data")))
        }
        let outcome: Receipt.Outcome
        if fields.has("root") {
            outcome = .stateRoot(try fields.hash("root"))
        } else {
            outcome = .status(try fields.integer("status") == 1)
        }
        var contract: Address?
        if fields.has("contractAddress"), !(try fields.json("contractAddress").isNull) {
            contract = try fields.address("contractAddress")
        }
        self.init(
            kind: kind, outcome: outcome, cumulativeGasUsed: try fields.integer("cumulativeGasUsed"), logs: logs,
            gasUsed: try fields.integer("gasUsed"), effectiveGasPrice: try fields.quantity("effectiveGasPrice"),
            contractAddress: contract,
            blobGasUsed: fields.has("blobGasUsed") ? try fields.integer("blobGasUsed") : 0)
    }
}
