import EVM
import Primitives

/// One combination of data, gas and value of a state test, with the transaction rules around its execution: a plain
/// second writing of them, apart from the product's.
struct FixtureTransaction {
    var sender: Address
    var to: Address?
    var nonce: UInt64
    var value: UInt256
    var data: [UInt8]
    var gasLimit: UInt64
    /// Highest price a unit; the price itself for transactions without tip.
    var feeCap: UInt256
    var tip: UInt256
    var accessList: [(address: Address, keys: [UInt256])]?
    var hasTip: Bool
    var blobHashes: [Bytes32]?
    var blobFeeCap: UInt256
    /// Nil unless it is a set-code transaction; an authorisation that can't be read counts, but does nothing.
    var authorizations: [FixtureAuthorization?]?

    init(_ json: JSON, _ indexes: JSON) throws {
        func pick(_ name: String) throws -> JSON {
            let list = try json.member(name).elements()
            guard let index = indexes[name == "gasLimit" ? "gas" : name]?.integer, list.indices.contains(Int(index))
            else { throw FixtureError(description: "no \(name)") }
            return list[Int(index)]
        }
        sender = try json.member("sender").address()
        let target = try json.member("to").text()
        to = target.isEmpty ? nil : try json.member("to").address()
        nonce = try json.member("nonce").number()
        value = try pick("value").word()
        data = try pick("data").bytes()
        gasLimit = try pick("gasLimit").number()
        hasTip = json["maxFeePerGas"] != nil
        feeCap = try json.member(hasTip ? "maxFeePerGas" : "gasPrice").word()
        tip = hasTip ? try json.member("maxPriorityFeePerGas").word() : feeCap
        if let lists = json["accessLists"]?.array, let index = indexes["data"]?.integer, !lists[Int(index)].isNull {
            accessList = try lists[Int(index)].elements().map { entry in
                (
                    try entry.member("address").address(),
                    try entry.member("storageKeys").elements().map { try $0.word() }
                )
            }
        }
        blobHashes = try json["blobVersionedHashes"]?.elements().map { try $0.digest() }
        blobFeeCap = try json["maxFeePerBlobGas"]?.word() ?? .zero
        authorizations = try json["authorizationList"]?.elements().map { try? FixtureAuthorization($0) }
    }

    /// Gas that is due before the first operation.
    func intrinsicGas(_ fork: Fork) -> UInt64 {
        var gas: UInt64 = 21_000
        if to == nil, fork >= .homestead { gas += 32_000 }
        for byte in data { gas += byte == 0 ? 4 : fork >= .istanbul ? 16 : 68 }
        if to == nil, fork >= .shanghai { gas += 2 * UInt64((data.count + 31) / 32) }
        for entry in accessList ?? [] { gas += 2400 + 1900 * UInt64(entry.keys.count) }
        return gas + 25_000 * UInt64(authorizations?.count ?? 0)
    }

    /// The least gas that is paid for the data (EIP-7623).
    func floorGas(_ fork: Fork) -> UInt64 {
        guard fork >= .prague else { return 0 }
        return 21_000 + data.reduce(0) { $0 + ($1 == 0 ? 10 : 40) }
    }

    /// What is wrong with the transaction, if anything.
    func flaw(_ fork: Fork, _ block: BlockEnvironment, _ sender: AccountState, senderDelegates: Bool) -> String? {
        if accessList != nil, fork < .berlin { return "type" }
        if hasTip, fork < .london { return "type" }
        if fork >= .london, feeCap < block.baseFee { return "fee cap" }
        if tip > feeCap { return "tip" }
        if gasLimit > block.gasLimit { return "gas limit" }
        if gasLimit < max(intrinsicGas(fork), floorGas(fork)) { return "intrinsic gas" }
        if fork >= .osaka, gasLimit > 1 << 24 { return "gas limit of a transaction" }
        if let authorizations, fork < .prague || to == nil || authorizations.isEmpty { return "authorisations" }
        if sender.nonce != nonce || nonce == .max { return "nonce" }
        if sender.codeHash != Keccak256.empty, !senderDelegates { return "sender is a contract" }
        if to == nil, let limit = fork.initCodeSizeMax, data.count > limit { return "init code" }
        if let blobHashes {
            if fork < .cancun || to == nil || blobHashes.isEmpty || blobHashes.count > (fork == .prague ? 9 : 6) {
                return "blobs"
            }
            if blobHashes.contains(where: { $0.bytes[0] != 1 }) { return "blob version" }
            if blobFeeCap < block.blobBaseFee { return "blob fee" }
        }
        let (gasCost, wide) = UInt256(gasLimit).multipliedReportingOverflow(by: feeCap)
        let (blobCost, wider) = UInt256(blobGas).multipliedReportingOverflow(by: blobFeeCap)
        let (sum, over) = gasCost.addingReportingOverflow(value)
        let (total, overAgain) = sum.addingReportingOverflow(blobCost)
        if wide || wider || over || overAgain || total > sender.balance { return "funds" }
        return nil
    }

    private var blobGas: UInt64 { 131_072 * UInt64(blobHashes?.count ?? 0) }

    /// Runs the whole transaction; gives its logs.
    func run(_ evm: EVM) -> [Log] {
        let (state, fork, block) = (evm.state, evm.fork, evm.block)
        let price = fork >= .london ? min(feeCap, block.baseFee &+ tip) : feeCap
        state.beginTransaction(fork)
        _ = state.subtractBalance(sender, UInt256(gasLimit) &* price &+ UInt256(blobGas) &* block.blobBaseFee)
        state.incrementNonce(sender)
        for authorization in authorizations ?? [] { authorization?.apply(state, chainID: block.chainID) }
        if fork >= .berlin {
            state.warm(sender)
            if let to { state.warm(to) }
            if fork >= .shanghai { state.warm(block.coinbase) }
            for entry in accessList ?? [] {
                state.warm(entry.address)
                for key in entry.keys { state.warm(entry.address, key) }
            }
        }
        let result = evm.execute(
            Message(
                caller: sender, target: to.map { .call($0) } ?? .create(nonce: nonce), value: value, input: data,
                gas: gasLimit - intrinsicGas(fork), gasPrice: price, blobHashes: blobHashes ?? []))
        var used = gasLimit - result.gasLeft
        used -= min(used / fork.refundQuotient, result.refund)
        used = max(used, floorGas(fork))
        state.addBalance(sender, UInt256(gasLimit - used) &* price)
        state.addBalance(block.coinbase, UInt256(used) &* (fork >= .london ? price &- block.baseFee : price))
        state.endTransaction()
        return result.logs
    }
}
