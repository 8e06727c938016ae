/// What a leader knows of one peer.
struct Progress: Sendable {
    enum State: Hashable, Sendable {
        /// Looking for where the logs agree: only empty AppendEntries, at heartbeats.
        case probing
        /// Streaming: `next` runs ahead of what is acknowledged.
        case streaming
        /// Waiting for a snapshot that was asked for at this time.
        case snapshot(since: Microseconds)
    }

    let id: PeerID
    /// The peer's log is ours up to here, durably. Never falls within a view.
    var match: UInt64 = 0
    /// The next entry to send.
    var next: UInt64
    var state = State.probing
    /// Counts the searches for agreement.
    var attempt: UInt64 = 0
    /// The shell is reading old entries for it.
    var isLoading = false
    /// What is on its way: last seqno and bytes of each AppendEntries.
    var inflight: Trail<(end: UInt64, bytes: Int)> = Trail()
    var inflightBytes = 0
    /// Newest heartbeat that it answered.
    var roundAnswered: UInt64 = 0
    /// When it last answered in this view.
    var heardAt: Microseconds
    /// Commit point last sent to it, and last reported by it.
    var commitSent: UInt64 = 0
    var commitKnown: UInt64 = 0
    /// `caughtUp` was said.
    var isCaughtUp = false
    /// It is in no configuration any more and is only told that this entry, which says so, is committed.
    var departsAfter: UInt64?
    var departsBy: Microseconds = 0

    init(id: PeerID, next: UInt64, now: Microseconds) {
        self.id = id
        self.next = next
        heardAt = now
    }

    mutating func sent(end: UInt64, bytes: Int) {
        inflight.append((end, bytes))
        inflightBytes += bytes
    }

    /// The peer has everything up to `seqno`.
    mutating func received(_ seqno: UInt64) {
        next = max(next, seqno + 1)
        while let oldest = inflight.first, oldest.end <= seqno {
            inflightBytes -= oldest.bytes
            inflight.removeFirst()
        }
    }

    /// Goes back to looking for agreement, `next` being the best guess.
    mutating func probe(from next: UInt64) {
        state = .probing
        attempt += 1
        self.next = max(next, match + 1)
        inflight.removeAll()
        inflightBytes = 0
        isLoading = false
    }
}
