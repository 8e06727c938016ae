internal import EVM
public import EthereumAdapter
public import Primitives

/// One thing that a replayed block did otherwise than its file says.
public struct ReplayFinding: Sendable, Hashable, CustomStringConvertible {
    /// What was compared.
    public let subject: String
    /// What the file says.
    public let expected: String
    /// What came out.
    public let actual: String

    package init(_ subject: String, expected: String, actual: String) {
        self.subject = subject
        self.expected = expected
        self.actual = actual
    }

    init(_ difference: ReplayDifference, prefix: String = "") {
        self.init(prefix + difference.subject, expected: difference.expected, actual: difference.actual)
    }

    /// All three, long values cut.
    public var description: String { "\(subject): expected \(Self.cut(expected)), got \(Self.cut(actual))" }

    private static func cut(_ text: String) -> String { text.count > 90 ? text.prefix(87) + "..." : text }

    var json: JSON { ["subject": .string(subject), "expected": .string(expected), "actual": .string(actual)] }
}

/// What the replay of one block came to.
public struct ReplayVerdict: Sendable {
    /// The file.
    public let file: String
    /// The block's number.
    public let number: UInt64
    /// The rules.
    public let fork: String
    /// Its transactions.
    public let transactions: Int
    /// Gas that they used here.
    public let gasUsed: UInt64
    /// Microseconds: on the EVM alone from decoding to the state root; in a network from sending the transactions to the
    /// answer that they are committed.
    public let microseconds: UInt64
    /// What differs; empty if all agrees.
    public let findings: [ReplayFinding]

    /// Whether all agrees.
    public var agrees: Bool { findings.isEmpty }

    package init(_ file: ReplayFile, gasUsed: UInt64, microseconds: UInt64, findings: [ReplayFinding]) {
        self.file = file.name
        number = file.replay.header.number
        fork = file.replay.forkName
        transactions = file.replay.transactions.count
        self.gasUsed = gasUsed
        self.microseconds = microseconds
        self.findings = findings
    }

    /// For programs.
    public var json: JSON {
        [
            "file": .string(file), "block": .integer(Int64(clamping: number)), "fork": .string(fork),
            "transactions": .integer(Int64(transactions)), "gasUsed": .integer(Int64(clamping: gasUsed)),
            "milliseconds": .double(Double(microseconds) / 1000), "agrees": .bool(agrees),
            "differences": .array(findings.map(\.json)),
        ]
    }
}

extension ReplayCase {
    /// The fork's name with a capital.
    public var forkName: String {
        let name = "\(fork)"
        return name.prefix(1).uppercased() + name.dropFirst()
    }
}
