internal import Primitives

/// The table of opcodes as the interpreter reads it: eight bytes an opcode, one table a fork, made once a process.
struct InstructionTable: @unchecked Sendable {
    /// What is checked before an operation runs. Heights are in bytes of stack, so that they compare with pointers.
    struct Entry {
        /// Static gas.
        var gas: UInt16
        /// The least height. An undefined opcode asks for more than the stack can hold: one check finds all errors.
        var heightMin: UInt16
        /// The greatest height, less the least.
        var heightSpan: UInt16
        /// Whether the fork knows the opcode.
        var isDefined: Bool
    }

    /// Words that the stack holds at most.
    static let stackLimit = 1024

    /// 256 entries, never freed.
    let entries: UnsafePointer<Entry>

    private static let tables = Fork.allCases.map { InstructionTable($0) }

    static func table(for fork: Fork) -> InstructionTable { tables[Int(fork.rawValue)] }

    private init(_ fork: Fork) {
        let entries = UnsafeMutablePointer<Entry>.allocate(capacity: 256)
        entries.initialize(repeating: Entry(gas: 0, heightMin: .max, heightSpan: 0, isDefined: false), count: 256)
        let width = MemoryLayout<UInt256>.stride
        for row in Instruction.all {
            guard let gas = row.gas(in: fork) else { continue }
            let most = Self.stackLimit - max(0, row.pushes - row.pops)
            entries[Int(row.opcode)] = Entry(
                gas: gas, heightMin: UInt16(row.pops * width), heightSpan: UInt16((most - row.pops) * width),
                isDefined: true)
        }
        self.entries = UnsafePointer(entries)
    }
}
