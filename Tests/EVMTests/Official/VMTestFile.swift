import EVM
import Primitives

/// Runs a file of the oldest format, VMTests: one message without transaction, with gas and state after it.
struct VMTestFile {
    let name: String
    let json: JSON

    func run() -> StateTestFile.Outcome {
        var outcome = StateTestFile.Outcome()
        do {
            for test in try json.members() {
                // Calls are only listed there, not made, in those that have some.
                if let calls = test.value["callcreates"]?.array, !calls.isEmpty { continue }
                outcome.cases += 1
                if let flaw = try run(test.value) { outcome.failures.append("\(name) \(test.name): \(flaw)") }
            }
        } catch {
            outcome.failures.append("\(name): \(error)")
        }
        return outcome
    }

    private func run(_ test: JSON) throws -> String? {
        let exec = try test.member("exec")
        let env = try test.member("env")
        let address = try exec.member("address").address()
        let caller = try exec.member("caller").address()
        var accounts = try test.member("pre").accounts()
        accounts[address, default: .init()].code = try exec.member("code").bytes()
        let reader = MemoryReader(accounts)
        let state = WorldState(reader: reader)
        let block = BlockEnvironment(
            number: try env.member("currentNumber").number(), timestamp: try env.member("currentTimestamp").number(),
            coinbase: try env.member("currentCoinbase").address(),
            gasLimit: try env.member("currentGasLimit").number(),
            difficulty: try env.member("currentDifficulty").word())
        let evm = EVM(fork: .frontier, block: block, state: state)
        state.beginTransaction(.frontier)
        let value = try exec.member("value").word()
        // The value is in the account already: it is moved to the caller, which then sends it.
        state.addBalance(caller, value)
        _ = state.subtractBalance(address, min(value, state.balance(address)))
        let result = evm.execute(
            Message(
                caller: caller, target: .call(address), value: value, input: try exec.member("data").bytes(),
                gas: try exec.member("gas").number(), gasPrice: try exec.member("gasPrice").word(),
                origin: try exec.member("origin").address()))
        state.endTransaction()
        guard let post = test["post"] else {
            if case .halt = result.status { return nil }
            return "ended with \(result.status), an exceptional halt expected"
        }
        guard result.isSuccess else { return "ended with \(result.status)" }
        if try result.gasLeft != test.member("gas").number() { return "gas left \(result.gasLeft)" }
        if try result.output != test.member("out").bytes() { return "output differs" }
        if try Keccak256.hash(StateTestFile.encode(result.logs)) != test.member("logs").digest() { return "logs" }
        reader.apply(state.takeChanges())
        for (address, expected) in try post.accounts() {
            let found = reader.accounts[address] ?? .init()
            if found.storage != expected.storage { return "storage of \(address) differs" }
            if found.code != expected.code || found.nonce != expected.nonce { return "account \(address) differs" }
        }
        return nil
    }
}
