/// What happens to a node. Every input comes with the time, and every input may fire timers.
public enum RaftInput: Sendable {
    /// Nothing but time went by. Wanted at ``Raft/deadline`` at the latest.
    case tick
    /// A message of a peer, whose identity the channel has proved.
    case received(RaftMessage, from: PeerID)
    /// New entries, in the leader's view and following its last one; anything else gets
    /// ``RaftEffect/proposalRejected(_:)``.
    case propose([LogEntry])
    /// All log operations (append, truncate, reset) up to this ticket are on disk.
    case logPersisted(ticket: UInt64)
    /// The hard state of this ticket (and all before) is sealed.
    case hardStatePersisted(ticket: UInt64)
    /// Answer to ``RaftEffect/loadEntries(peer:from:bytesMax:entriesMax:)``: consecutive entries as far as they go;
    /// none if they are not there any more.
    case entriesLoaded(peer: PeerID, from: UInt64, entries: [LogEntry])
    /// Old entries have gone: the first that can still be loaded is `first`.
    case compacted(first: UInt64)
    /// A snapshot up to the committed signature entry at `log.last` was fetched and verified and is durable.
    case snapshotInstalled(LogIndex)
    /// The shell could not bring a snapshot to this peer; it is asked for again when needed.
    case snapshotFailed(peer: PeerID)
    /// Hand the leadership over (to the best follower, if nil).
    case transferLeadership(to: PeerID?)
    /// Which entry must a linearizable read reflect? Answered by ``RaftEffect/readReady(id:seqno:)`` or
    /// ``RaftEffect/readFailed(id:)``; leaders only.
    case read(id: UInt64)
    /// Stand for election now (operators and tests).
    case campaign
    /// Members have decided that the nodes restarting now may go on with what their seals hold. To a node that is not
    /// restarting it says that what peers showed at its restart and nobody has any more is given up.
    case restartAuthorized
}
