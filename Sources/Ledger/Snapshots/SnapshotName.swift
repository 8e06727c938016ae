/// Name of a committed snapshot's file, as CCF names them: where the snapshot stands, and where its digest is recorded.
public struct SnapshotName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Seqno of the signature entry after which the state was taken.
    public let seqno: UInt64
    /// Seqno of the entry that claims the file's digest.
    public let evidence: UInt64

    /// The name of the snapshot at `seqno` whose evidence is at `evidence`.
    public init(seqno: UInt64, evidence: UInt64) {
        self.seqno = seqno
        self.evidence = evidence
    }

    /// Parses `snapshot_S_E.committed`; nil for anything else, such as one that is being made.
    public init?(_ fileName: String) {
        let parts = fileName.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "snapshot", parts[2].hasSuffix(Self.suffix),
            let seqno = TransactionID.number(parts[1]),
            let evidence = TransactionID.number(parts[2].dropLast(Self.suffix.count)), seqno > 0, seqno < evidence
        else { return nil }
        self.init(seqno: seqno, evidence: evidence)
    }

    private static let suffix = ".committed"

    /// The file's name.
    public var fileName: String { "snapshot_\(seqno)_\(evidence)" + Self.suffix }

    /// The same as ``fileName``.
    public var description: String { fileName }

    /// By place in the ledger.
    public static func < (left: SnapshotName, right: SnapshotName) -> Bool {
        (left.seqno, left.evidence) < (right.seqno, right.evidence)
    }
}
