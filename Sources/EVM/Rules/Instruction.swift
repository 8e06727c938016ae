/// One row of the table of opcodes: the only place where gas, stack effect and first fork of an operation are written
/// down. What depends on operands or state (memory, cold access, storage) is added by the operation itself.
public struct Instruction: Sendable {
    /// The byte.
    public let opcode: UInt8
    /// The name in the Yellow Paper or the EIP.
    public let name: String
    /// Words taken.
    public let pops: Int
    /// Words given.
    public let pushes: Int
    /// Static gas at first, and by each later fork that changed it.
    let gas: [(since: Fork, gas: UInt16)]

    /// The first fork that knows it.
    public var since: Fork { gas[0].since }

    /// Static gas under a fork; nil if the fork does not know the operation.
    public func gas(in fork: Fork) -> UInt16? {
        gas.last { $0.since <= fork }?.gas
    }

    /// The name of an opcode's byte, if any fork knows it.
    public static func name(of opcode: UInt8) -> String? { names[Int(opcode)] }

    private static let names: [String?] = all.reduce(into: [String?](repeating: nil, count: 256)) {
        $0[Int($1.opcode)] = $1.name
    }

    init(
        _ opcode: UInt8, _ name: String, _ pops: Int, _ pushes: Int, _ gas: UInt16, _ since: Fork = .frontier,
        _ changes: (Fork, UInt16)...
    ) {
        self.opcode = opcode
        self.name = name
        self.pops = pops
        self.pushes = pushes
        self.gas = [(since, gas)] + changes.map { (since: $0.0, gas: $0.1) }
    }

    /// All operations, by opcode.
    public static let all: [Instruction] =
        [
            .init(0x00, "STOP", 0, 0, 0),
            .init(0x01, "ADD", 2, 1, 3),
            .init(0x02, "MUL", 2, 1, 5),
            .init(0x03, "SUB", 2, 1, 3),
            .init(0x04, "DIV", 2, 1, 5),
            .init(0x05, "SDIV", 2, 1, 5),
            .init(0x06, "MOD", 2, 1, 5),
            .init(0x07, "SMOD", 2, 1, 5),
            .init(0x08, "ADDMOD", 3, 1, 8),
            .init(0x09, "MULMOD", 3, 1, 8),
            .init(0x0a, "EXP", 2, 1, 10),
            .init(0x0b, "SIGNEXTEND", 2, 1, 5),

            .init(0x10, "LT", 2, 1, 3),
            .init(0x11, "GT", 2, 1, 3),
            .init(0x12, "SLT", 2, 1, 3),
            .init(0x13, "SGT", 2, 1, 3),
            .init(0x14, "EQ", 2, 1, 3),
            .init(0x15, "ISZERO", 1, 1, 3),
            .init(0x16, "AND", 2, 1, 3),
            .init(0x17, "OR", 2, 1, 3),
            .init(0x18, "XOR", 2, 1, 3),
            .init(0x19, "NOT", 1, 1, 3),
            .init(0x1a, "BYTE", 2, 1, 3),
            .init(0x1b, "SHL", 2, 1, 3, .constantinople),
            .init(0x1c, "SHR", 2, 1, 3, .constantinople),
            .init(0x1d, "SAR", 2, 1, 3, .constantinople),
            .init(0x1e, "CLZ", 1, 1, 5, .osaka),

            .init(0x20, "KECCAK256", 2, 1, 30),

            .init(0x30, "ADDRESS", 0, 1, 2),
            .init(0x31, "BALANCE", 1, 1, 20, .frontier, (.tangerineWhistle, 400), (.istanbul, 700), (.berlin, 100)),
            .init(0x32, "ORIGIN", 0, 1, 2),
            .init(0x33, "CALLER", 0, 1, 2),
            .init(0x34, "CALLVALUE", 0, 1, 2),
            .init(0x35, "CALLDATALOAD", 1, 1, 3),
            .init(0x36, "CALLDATASIZE", 0, 1, 2),
            .init(0x37, "CALLDATACOPY", 3, 0, 3),
            .init(0x38, "CODESIZE", 0, 1, 2),
            .init(0x39, "CODECOPY", 3, 0, 3),
            .init(0x3a, "GASPRICE", 0, 1, 2),
            .init(0x3b, "EXTCODESIZE", 1, 1, 20, .frontier, (.tangerineWhistle, 700), (.berlin, 100)),
            .init(0x3c, "EXTCODECOPY", 4, 0, 20, .frontier, (.tangerineWhistle, 700), (.berlin, 100)),
            .init(0x3d, "RETURNDATASIZE", 0, 1, 2, .byzantium),
            .init(0x3e, "RETURNDATACOPY", 3, 0, 3, .byzantium),
            .init(0x3f, "EXTCODEHASH", 1, 1, 400, .constantinople, (.istanbul, 700), (.berlin, 100)),

            .init(0x40, "BLOCKHASH", 1, 1, 20),
            .init(0x41, "COINBASE", 0, 1, 2),
            .init(0x42, "TIMESTAMP", 0, 1, 2),
            .init(0x43, "NUMBER", 0, 1, 2),
            .init(0x44, "PREVRANDAO", 0, 1, 2),
            .init(0x45, "GASLIMIT", 0, 1, 2),
            .init(0x46, "CHAINID", 0, 1, 2, .istanbul),
            .init(0x47, "SELFBALANCE", 0, 1, 5, .istanbul),
            .init(0x48, "BASEFEE", 0, 1, 2, .london),
            .init(0x49, "BLOBHASH", 1, 1, 3, .cancun),
            .init(0x4a, "BLOBBASEFEE", 0, 1, 2, .cancun),

            .init(0x50, "POP", 1, 0, 2),
            .init(0x51, "MLOAD", 1, 1, 3),
            .init(0x52, "MSTORE", 2, 0, 3),
            .init(0x53, "MSTORE8", 2, 0, 3),
            .init(0x54, "SLOAD", 1, 1, 50, .frontier, (.tangerineWhistle, 200), (.istanbul, 800), (.berlin, 100)),
            .init(0x55, "SSTORE", 2, 0, 0),
            .init(0x56, "JUMP", 1, 0, 8),
            .init(0x57, "JUMPI", 2, 0, 10),
            .init(0x58, "PC", 0, 1, 2),
            .init(0x59, "MSIZE", 0, 1, 2),
            .init(0x5a, "GAS", 0, 1, 2),
            .init(0x5b, "JUMPDEST", 0, 0, 1),
            .init(0x5c, "TLOAD", 1, 1, 100, .cancun),
            .init(0x5d, "TSTORE", 2, 0, 100, .cancun),
            .init(0x5e, "MCOPY", 3, 0, 3, .cancun),
            .init(0x5f, "PUSH0", 0, 1, 2, .shanghai),
        ] + (1...32).map { .init(0x5f + UInt8($0), "PUSH\($0)", 0, 1, 3) }
        + (1...16).map { .init(0x7f + UInt8($0), "DUP\($0)", $0, $0 + 1, 3) }
        + (1...16).map { .init(0x8f + UInt8($0), "SWAP\($0)", $0 + 1, $0 + 1, 3) } + [
            .init(0xa0, "LOG0", 2, 0, 375),
            .init(0xa1, "LOG1", 3, 0, 750),
            .init(0xa2, "LOG2", 4, 0, 1125),
            .init(0xa3, "LOG3", 5, 0, 1500),
            .init(0xa4, "LOG4", 6, 0, 1875),

            .init(0xf0, "CREATE", 3, 1, 32000),
            .init(0xf1, "CALL", 7, 1, 40, .frontier, (.tangerineWhistle, 700), (.berlin, 100)),
            .init(0xf2, "CALLCODE", 7, 1, 40, .frontier, (.tangerineWhistle, 700), (.berlin, 100)),
            .init(0xf3, "RETURN", 2, 0, 0),
            .init(0xf4, "DELEGATECALL", 6, 1, 40, .homestead, (.tangerineWhistle, 700), (.berlin, 100)),
            .init(0xf5, "CREATE2", 4, 1, 32000, .constantinople),
            .init(0xfa, "STATICCALL", 6, 1, 700, .byzantium, (.berlin, 100)),
            .init(0xfd, "REVERT", 2, 0, 0, .byzantium),
            .init(0xff, "SELFDESTRUCT", 1, 0, 0, .frontier, (.tangerineWhistle, 5000)),
        ]
}
