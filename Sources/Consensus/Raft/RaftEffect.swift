/// Why a node's sealed state or disk is known to be older than what it once promised.
public enum RollbackReason: UInt8, Hashable, Sendable {
    /// Its log ends before the entry that its own seal names as committed.
    case logBehindSeal = 1
    /// A peer has heard it speak in a later view.
    case viewBehindPeer = 2
    /// A peer holds a vote of it that it does not remember.
    case voteForgotten = 3
    /// A peer holds an acknowledgement of entries that it does not have.
    case logBehindPeer = 4
}

/// Why a proposal was not taken. Nothing of it is in the log.
public enum ProposalRejection: Hashable, Sendable {
    /// Another node leads, or none does.
    case notLeader
    /// The leadership is being handed over.
    case transferring
    /// Not this view, or not the next seqno.
    case outOfOrder
    /// A configuration before this leader committed an entry of its own view, or with ``Configuration/settled``
    /// above what is committed.
    case configurationTooEarly
}

/// What the shell has to do, in order.
///
/// Log operations are queued to the disk in the order of their tickets; the shell reports
/// ``RaftInput/logPersisted(ticket:)`` after a sync that covers a ticket (one report for many is right). Hard states
/// likewise, by their own tickets; messages that depend on one are held back until it is reported. A log operation must
/// not reach the disk before the hard states that were asked for ahead of it: a log that was cut by a leader that the
/// seal does not know looks rolled back. Everything else may be done at once.
public enum RaftEffect: Sendable {
    /// To this peer. May get lost, late, twice.
    case send(RaftMessage, to: PeerID)
    /// Seal this, then report ``RaftInput/hardStatePersisted(ticket:)``.
    case persistHardState(HardState, ticket: UInt64)
    /// Write these after the last entry.
    case append([LogEntry], ticket: UInt64)
    /// Cut the log so that `to` is its last entry (0: empty).
    case truncate(to: UInt64, ticket: UInt64)
    /// Drop the whole log and continue after this snapshot.
    case resetLog(to: LogPosition, ticket: UInt64)
    /// Everything up to here is committed.
    case commit(upTo: UInt64)
    /// This node leads `view`, and its log ends at ``Raft/lastSeqno``, a signature (or nothing). Propose the view's
    /// first entry and a signature now: nothing of earlier views commits before.
    case becameLeader(view: UInt64)
    /// This node does not lead (any more, or after a new election); `leader` where it is known.
    case following(view: UInt64, leader: PeerID?)
    /// Read old entries, for ``RaftInput/entriesLoaded(peer:from:entries:)``.
    case loadEntries(peer: PeerID, from: UInt64, bytesMax: Int, entriesMax: Int)
    /// This peer needs entries that are gone; stream it a snapshot.
    case needSnapshot(peer: PeerID)
    /// This learner is caught up (said once in a view): a configuration with it as a voter may be proposed.
    case caughtUp(peer: PeerID)
    /// Other nodes count from now on: the configurations in force, oldest first.
    case configurationsChanged([Configuration])
    /// Leader only: the configuration at `seqno` is committed. If it removed nodes, propose the newest configuration (the
    /// last of ``Raft/configurations``) again with ``Configuration/settled`` = `seqno`; when that is committed, the
    /// removed nodes are retired for good.
    case configurationCommitted(seqno: UInt64, removed: [PeerID])
    /// This node is in no configuration any more and no future leader will ask for it: it may stop.
    case retired
    /// A linearizable read may be answered once everything up to `seqno` is applied.
    case readReady(id: UInt64, seqno: UInt64)
    /// This node can't answer for the whole network.
    case readFailed(id: UInt64)
    /// The proposal was not taken.
    case proposalRejected(ProposalRejection)
    /// The restart rule is satisfied: this node votes and acknowledges again.
    case restartConfirmed
    /// The restart rule can't be satisfied without members (said once).
    case awaitingMembers
    /// This node's state is older than what it promised. It refuses everything from now on.
    case rolledBack(RollbackReason)
    /// A peer's message contradicts what is committed here, which no correct node can send. This node refuses everything
    /// from now on; the text names no content.
    case halted(String)
}
