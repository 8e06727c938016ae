import EVM
import Glibc
import Primitives
import Testing

/// go-ethereum's vectors for precompiles, called as contracts so that price and table are checked with them.
@Suite struct PrecompileVectorTests {
    @Test(arguments: [
        ("ecRecover", 1, Fork.frontier), ("blake2F", 9, .istanbul), ("fail-blake2f", 9, .istanbul),
        ("bn256Add", 6, .istanbul), ("bn256ScalarMul", 7, .istanbul), ("bn256Pairing", 8, .istanbul),
        ("modexp", 5, .byzantium), ("modexp_eip2565", 5, .berlin), ("pointEvaluation", 10, .cancun),
        ("modexp_eip7883", 5, .osaka), ("p256Verify", 0x100, .osaka), ("blsG1Add", 0x0b, .prague),
        ("blsG1Mul", 0x0c, .prague), ("blsG1MultiExp", 0x0c, .prague), ("blsG2Add", 0x0d, .prague),
        ("blsG2Mul", 0x0e, .prague), ("blsG2MultiExp", 0x0e, .prague), ("blsPairing", 0x0f, .prague),
        ("blsMapG1", 0x10, .prague), ("blsMapG2", 0x11, .prague), ("fail-blsG1Add", 0x0b, .prague),
        ("fail-blsG1MultiExp", 0x0c, .prague), ("fail-blsG2MultiExp", 0x0e, .prague),
        ("fail-blsPairing", 0x0f, .prague), ("fail-blsMapG2", 0x11, .prague),
    ])
    func vectors(name: String, number: UInt64, fork: Fork) throws {
        let path = "\(Archives.shared)/evm-tests/precompiles/\(name).json"
        guard access(path, R_OK) == 0 else { return print("skipped: no \(path)") }
        let cases = try Archives.read(path).elements()
        #expect(!cases.isEmpty)
        let limit: UInt64 = 1 << 40
        for vector in cases {
            let title = try vector.member("Name").text()
            let state = WorldState(reader: MemoryReader())
            let evm = EVM(fork: fork, block: BlockEnvironment(), state: state)
            state.beginTransaction(fork)
            let result = evm.execute(
                Message(
                    caller: .zero, target: .call(Address(number: number)),
                    input: try vector.member("Input").bytes(), gas: limit))
            guard let expected = vector["Expected"] else {
                #expect(result.status == .halt(.precompileFailure) && result.gasLeft == 0, "\(title)")
                continue
            }
            #expect(result.isSuccess, "\(title)")
            #expect(try result.output == expected.bytes(), "\(title)")
            if let gas = vector["Gas"]?.integer { #expect(limit - result.gasLeft == UInt64(gas), "\(title)") }
        }
    }
}
