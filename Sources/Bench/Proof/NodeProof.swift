public import Primitives

/// What one node shows for what the bench reports: acknowledged = committed there = reported.
public struct NodeProof: Sendable {
    /// The node.
    public var name: String
    /// Transactions acknowledged to the client, warm-up included.
    public var acknowledged: UInt64
    /// Of those whose outcome nobody told, how many may be committed.
    public var unknown: UInt64
    /// Transactions that the node has executed, counted from its own state.
    public var committed: UInt64
    /// What is wrong, in words; empty if all agrees.
    public var problems: [String] = []
    /// Accounts, or blocks, that were compared.
    public var compared = 0
    /// What the node's ledger files show; nil if they can't be read from here.
    public var ledger: LedgerProof?
    /// What the proof is of: a workload's name.
    public var subject: String

    package init(
        name: String, acknowledged: UInt64, unknown: UInt64, committed: UInt64, compared: Int = 0, subject: String
    ) {
        self.name = name
        self.acknowledged = acknowledged
        self.unknown = unknown
        self.committed = committed
        self.compared = compared
        self.subject = subject
    }

    /// Whether everything agrees.
    public var holds: Bool {
        problems.isEmpty && committed >= acknowledged && committed <= acknowledged + unknown && ledger?.holds ?? true
    }

    /// For programs.
    public var json: JSON {
        [
            "node": .string(name), "subject": .string(subject), "acknowledged": .integer(Int64(clamping: acknowledged)),
            "committed": .integer(Int64(clamping: committed)), "unknownOutcome": .integer(Int64(clamping: unknown)),
            "compared": .integer(Int64(compared)), "problems": .array(problems.map { .string($0) }),
            "ledger": ledger?.json ?? .null, "holds": .bool(holds),
        ]
    }
}
