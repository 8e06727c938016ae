import EVM
import EthereumAdapter
import Primitives

/// go-ethereum's vectors of one precompiled contract, called as a contract, so that price and table are checked too.
enum PrecompileVectors {
    /// Address and first rules of the contracts that files are named for, without `fail-`.
    private static func contract(_ file: String) -> (number: UInt64, fork: Fork)? {
        switch file.split(separator: ".").first?.split(separator: "-").last {
        case "ecRecover": (0x01, .frontier)
        case "sha256": (0x02, .frontier)
        case "ripemd160", "ripeMD": (0x03, .frontier)
        case "identity": (0x04, .frontier)
        case "modexp": (0x05, .byzantium)
        case "modexp_eip2565": (0x05, .berlin)
        case "modexp_eip7883": (0x05, .osaka)
        case "bn256Add": (0x06, .istanbul)
        case "bn256ScalarMul": (0x07, .istanbul)
        case "bn256Pairing": (0x08, .istanbul)
        case "blake2F", "blake2f": (0x09, .istanbul)
        case "pointEvaluation": (0x0a, .cancun)
        case "blsG1Add": (0x0b, .prague)
        case "blsG1Mul", "blsG1MultiExp": (0x0c, .prague)
        case "blsG2Add": (0x0d, .prague)
        case "blsG2Mul", "blsG2MultiExp": (0x0e, .prague)
        case "blsPairing": (0x0f, .prague)
        case "blsMapG1": (0x10, .prague)
        case "blsMapG2": (0x11, .prague)
        case "p256Verify": (0x100, .osaka)
        default: nil
        }
    }

    static func run(
        _ json: JSON, name: String, fork only: Fork?, each: (TestFile.Outcome) -> Void
    ) throws(CaseFileError) {
        guard let (number, fork) = contract(name) else {
            throw CaseFileError("", "the file's name, \(name), is that of no precompiled contract")
        }
        guard only == nil || only == fork else { return }
        for (index, vector) in (json.array ?? []).enumerated() {
            let fields = try CaseFields(vector, "[\(index)]")
            let title = fields.has("Name") ? try fields.string("Name") : "[\(index)]"
            let problem = try check(fields, number, fork)
            each(.init(name: title, fork: fork, verdict: problem.map { .failed($0) } ?? .passed))
        }
    }

    private static func check(_ vector: CaseFields, _ number: UInt64, _ fork: Fork) throws(CaseFileError) -> String? {
        guard let input = Hex.decode(try vector.string("Input")) else { throw vector.error("Input", "not hex") }
        let limit: UInt64 = 1 << 40
        let state = EVM::WorldState(
            reader: StateSnapshot(state: EthereumAdapter::WorldState(), hash: { _ in .zero }))
        let evm = EVM(fork: fork, block: BlockEnvironment(), state: state)
        state.beginTransaction(fork)
        let result = evm.execute(
            Message(caller: .zero, target: .call(Address(number: number)), input: input, gas: limit))
        guard vector.has("Expected") else {
            return result.status == .halt(.precompileFailure) && result.gasLeft == 0 ? nil : "accepted"
        }
        guard let expected = Hex.decode(try vector.string("Expected")) else {
            throw vector.error("Expected", "not hex")
        }
        guard result.isSuccess else { return "refused" }
        if result.output != expected { return "output \(Hex.encode(result.output)), not \(Hex.encode(expected))" }
        let used = limit - result.gasLeft
        if let gas = vector.object["Gas"]?.integer, used != UInt64(clamping: gas) { return "gas \(used), not \(gas)" }
        return nil
    }
}
