import EVM
import EthereumAdapter
import Primitives

/// One message without a transaction, under Frontier's rules, with gas, output, logs and state after it.
enum VirtualMachineTest {
    static func run(_ test: CaseFields) throws(CaseFileError) -> TestFile.Outcome.Verdict {
        if test.has("callcreates"), try !test.array("callcreates").isEmpty {
            return .notApplicable("its calls are listed, not made")
        }
        return try check(test).map { .failed($0) } ?? .passed
    }

    private static func check(_ test: CaseFields) throws(CaseFileError) -> String? {
        let exec = try test.fields("exec")
        let env = try test.fields("env")
        let address = try exec.address("address")
        let caller = try exec.address("caller")
        var pre = try test.fields("pre").world()
        let code = try exec.bytes("code")
        var account = (pre.accounts[address] ?? nil) ?? AccountState()
        account.codeHash = Keccak256.hash(code)
        pre.accounts[address] = account
        pre.codes[account.codeHash] = code
        var world = EthereumAdapter::WorldState()
        world.apply(pre)
        let state = EVM::WorldState(
            reader: StateSnapshot(state: world, hash: { Keccak256.hash(Array(String($0).utf8)) }))
        let block = BlockEnvironment(
            number: try env.integer("currentNumber"), timestamp: try env.integer("currentTimestamp"),
            coinbase: try env.address("currentCoinbase"), gasLimit: try env.quantity("currentGasLimit").clampedToUInt64,
            difficulty: try env.quantity("currentDifficulty"))
        let evm = EVM(fork: .frontier, block: block, state: state)
        state.beginTransaction(.frontier)
        let value = try exec.quantity("value")
        // The value is in the account already: it is moved to the caller, which then sends it.
        state.addBalance(caller, value)
        _ = state.subtractBalance(address, min(value, state.balance(address)))
        let result = evm.execute(
            Message(
                caller: caller, target: .call(address), value: value, input: try exec.bytes("data"),
                gas: try exec.integer("gas"), gasPrice: try exec.quantity("gasPrice"),
                origin: try exec.address("origin")))
        state.endTransaction()
        guard test.has("post") else {
            if case .halt = result.status { return nil }
            return "ended with \(result.status), an exceptional halt expected"
        }
        guard result.isSuccess else { return "ended with \(result.status)" }
        if result.gasLeft != (try test.integer("gas")) { return "gas left \(result.gasLeft)" }
        if result.output != (try test.bytes("out")) { return "output \(Hex.encode(result.output))" }
        let logs = Keccak256.hash(RLPWriter.list { list in for log in result.logs { log.encode(to: &list) } })
        if logs != (try test.hash("logs")) { return "hash of the logs \(logs)" }
        return compare(try test.fields("post").world(), pre, state.takeChanges())
    }

    /// Balances are left out: the format moves the value without saying from where.
    private static func compare(_ expected: StateDiff, _ pre: StateDiff, _ changes: [AccountChange]) -> String? {
        var found = pre
        for change in changes {
            found.accounts[change.address] = .some(change.account)
            if change.storageCleared || change.account == nil {
                found.storage = found.storage.filter { $0.key.address != change.address }
            }
            for slot in change.storage { found.storage[StorageKey(change.address, Bytes32(slot.key))] = slot.value }
        }
        let slots = Set(found.storage.keys).union(expected.storage.keys).sorted()
        for slot in slots where found.storage[slot] ?? .zero != expected.storage[slot] ?? .zero {
            return "storage of \(slot.address) at \(slot.slot) differs"
        }
        for address in expected.accounts.keys.sorted() {
            let wanted = (expected.accounts[address] ?? nil) ?? AccountState()
            let account = (found.accounts[address] ?? nil) ?? AccountState()
            if wanted.nonce != account.nonce || wanted.codeHash != account.codeHash {
                return "account \(address) differs"
            }
        }
        return nil
    }
}
