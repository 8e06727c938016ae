import EVM
import Primitives
import Testing

@Suite struct ExecutionTests {
    static let contract = Address(number: 0xc0de)
    static let sender = Address(number: 0x5e4d)

    static func run(
        _ code: String, fork: Fork = .cancun, gas: UInt64 = 1_000_000, input: [UInt8] = [],
        storage: [UInt256: UInt256] = [:]
    ) throws -> (result: ExecutionResult, state: WorldState) {
        let reader = MemoryReader([
            contract: .init(code: try #require(Hex.decode(code)), storage: storage),
            sender: .init(nonce: 1, balance: 1_000_000),
        ])
        let state = WorldState(reader: reader)
        let evm = EVM(fork: fork, block: BlockEnvironment(number: 300), state: state)
        state.beginTransaction(fork)
        return (evm.execute(Message(caller: sender, target: .call(contract), input: input, gas: gas)), state)
    }

    /// Returns the word on top of the stack: MSTORE at 0, RETURN 32 bytes.
    static let returnTop = "60005260206000f3"

    @Test(arguments: [
        ("6003600401", 7), ("6003600402", 12), ("6003600a03", 7), ("6003600a04", 3), ("6003600a06", 1),
        ("600360020a", 8), ("6001600260036004010101", 10), ("5f", 0), ("6001600110", 0), ("6002600110", 1),
        ("61abcd601e1a", 0xab), ("60016004 1b", 16), ("30", 0xc0de), ("33", 0x5e4d), ("43", 300), ("58", 0),
        ("62123456", 0x123456), ("600160025f5f5f5f6001860101", 2),
    ])
    func arithmetic(code: String, expected: UInt64) throws {
        let (result, _) = try Self.run(code.replacing(" ", with: "") + Self.returnTop)
        #expect(result.isSuccess)
        #expect(UInt256(bigEndian: result.output) == UInt256(expected), "\(code)")
    }

    @Test func pushesCutOffByTheEndReadZeros() throws {
        let (result, _) = try Self.run("7f11")
        #expect(result.isSuccess && result.gasLeft == 1_000_000 - 3)
    }

    @Test func haltsTakeAllGasAndUndoEverything() throws {
        // Each follows ten bytes that store and log.
        let cases: [(String, Halt)] = [
            ("fe", .undefinedOpcode), ("01", .stackUnderflow), ("600056", .invalidJump), ("600e56605b", .invalidJump),
            ("5b5f600a56", .stackOverflow), ("60ff5f5f3e", .returnDataOutOfBounds), ("63ffffffff51", .outOfGas),
        ]
        for (code, halt) in cases {
            let (result, state) = try Self.run("600160005560ff5f5fa0" + code)
            #expect(result.status == .halt(halt), "\(code)")
            #expect(result.gasLeft == 0 && result.logs.isEmpty)
            state.endTransaction()
            #expect(state.takeChanges().isEmpty)
        }
    }

    @Test func storageGasOfEIP2929And3529() throws {
        // Cold set of a zero slot, then back to zero: 22100 + 100, refund 19900.
        let (result, state) = try Self.run("600160005560006000550000")
        #expect(result.gasLeft == 1_000_000 - 4 * 3 - 22_100 - 100)
        #expect(result.refund == 19_900)
        state.endTransaction()
        #expect(state.takeChanges().isEmpty)
        let (cleared, other) = try Self.run("6000600055", storage: [0: 5])
        #expect(cleared.gasLeft == 1_000_000 - 6 - 5000 && cleared.refund == 4800)
        other.endTransaction()
        #expect(other.takeChanges().map(\.storage) == [[.init(key: 0, value: 0)]])
    }

    @Test func callsGoDownTo1024WithoutNativeRecursion() throws {
        // Calls itself with all gas; counts the calls in a slot. Before EIP-150 all gas is passed down.
        let code = "6001600054016000556000600060006000600030620186a05a03f1"
        let (result, state) = try Self.run(code, fork: .homestead, gas: 1 << 40)
        #expect(result.isSuccess)
        #expect(state.storage(Self.contract, 0) == 1025)
    }

    @Test func createMakesAnAccountAndKeepsItsCode() throws {
        // Initialisation code 6001600c60003960016000f300 returns one byte, STOP.
        let code = "6c6001600c60003960016000f300600052600d60136000f0" + Self.returnTop
        let (result, state) = try Self.run(code)
        let made = Address.contract(of: Self.contract, nonce: 0)
        #expect(UInt256(bigEndian: result.output) == UInt256(made))
        #expect(state.account(made)?.nonce == 1 && state.code(made) == [0])
        #expect(state.nonce(Self.contract) == 1)
    }

    @Test func aMessageCanCreate() throws {
        let reader = MemoryReader([Self.sender: .init(nonce: 8, balance: 50)])
        let state = WorldState(reader: reader)
        let evm = EVM(fork: .shanghai, block: BlockEnvironment(), state: state)
        state.beginTransaction(.shanghai)
        let input = try #require(Hex.decode("6001600c60003960016000f300"))
        let result = evm.execute(
            Message(caller: Self.sender, target: .create(nonce: 7), value: 20, input: input, gas: 100_000))
        let made = Address.contract(of: Self.sender, nonce: 7)
        #expect(result.isSuccess && result.createdAddress == made && result.output == [0])
        state.endTransaction()
        let changes = state.takeChanges()
        #expect(changes.first { $0.address == made }?.code == [0])
        #expect(changes.first { $0.address == made }?.account?.balance == 20)
        #expect(changes.first { $0.address == Self.sender }?.account?.balance == 30)
    }

    @Test func recoversTheSignerOfEIP155sExample() throws {
        let digest = try #require(
            Bytes32(hex: "0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"))
        let r: UInt256 = 0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276
        let s: UInt256 = 0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83
        let signer = Secp256k1.recover(digest: digest, r: r, s: s, recoveryID: 0)
        #expect(signer?.hex == "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f")
        #expect(Secp256k1.recover(digest: digest, r: 0, s: s, recoveryID: 0) == nil)
    }
}
