/// When a node was seen to have committed what, from answers of its own, for one run. Times are microseconds of one
/// monotonic clock, that of the client.
public struct CommitTimeline: Sendable {
    /// A step of the node's last committed entry.
    public struct Step: Hashable, Sendable {
        /// The entry that had been committed.
        public var seqno: UInt64
        /// When the last question was asked whose answer was lower: the entry was committed after this.
        public var after: UInt64
        /// When the answer with the entry was here: the entry was committed before this.
        public var by: UInt64

        package init(seqno: UInt64, after: UInt64, by: UInt64) {
            self.seqno = seqno
            self.after = after
            self.by = by
        }
    }

    /// The steps, rising in seqno and in time.
    public private(set) var steps: [Step] = []
    private var lastAsked: UInt64?

    /// Nothing seen yet.
    public init() {}

    /// The last entry seen committed; 0 if none was.
    public var lastSeqno: UInt64 { steps.last?.seqno ?? 0 }

    /// Notes an answer.
    /// - Parameters:
    ///   - seqno: the last committed entry that the node named.
    ///   - asked: when the question was sent.
    ///   - answered: when the answer was here.
    public mutating func observe(_ seqno: UInt64, asked: UInt64, answered: UInt64) {
        let by = Swift.max(answered, steps.last?.by ?? 0)
        if seqno > lastSeqno {
            steps.append(Step(seqno: seqno, after: Swift.min(lastAsked ?? asked, by), by: by))
        }
        lastAsked = Swift.max(asked, lastAsked ?? 0)
    }

    /// Between which times the node committed an entry; nil if it was not seen to.
    public func bounds(of seqno: UInt64) -> Step? {
        var low = 0
        var high = steps.count
        while low < high {
            let middle = (low + high) / 2
            if steps[middle].seqno < seqno { low = middle + 1 } else { high = middle }
        }
        return low < steps.count ? steps[low] : nil
    }
}
