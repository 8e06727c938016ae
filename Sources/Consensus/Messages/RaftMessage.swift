/// What nodes say to one another. Messages may get lost, late, reordered or doubled; each is safe to receive at any time.
public struct RaftMessage: Hashable, Sendable {
    /// The sender's view, sealed before the message left.
    public var view: UInt64
    /// The rest.
    public var body: Body

    /// A message.
    public init(view: UInt64, body: Body) {
        self.view = view
        self.body = body
    }

    /// Whether its sender takes part in its view: it speaks from a seal that it will have to answer for.
    var isBinding: Bool {
        switch body {
        case .append, .voteRequest, .voteResponse, .timeoutNow: true
        case .appendResponse(let response): response.counts
        case .restartQuery: false
        case .restartAnswer(let answer): !answer.isRestarting
        }
    }

    /// One case a kind of message.
    public enum Body: Hashable, Sendable {
        /// Leader to all: entries, the commit point, a heartbeat.
        case append(AppendEntries)
        /// The answer.
        case appendResponse(AppendResponse)
        /// Would you vote for me, or do so.
        case voteRequest(VoteRequest)
        /// The answer.
        case voteResponse(VoteResponse)
        /// Leader to its successor: stand for election at once.
        case timeoutNow
        /// A restarted node to its peers: what do you know of me?
        case restartQuery(RestartQuery)
        /// The answer.
        case restartAnswer(RestartAnswer)
    }
}

/// Entries that follow `previous`, or none.
public struct AppendEntries: Hashable, Sendable {
    /// The leader's entry before the first one here.
    public var previous: LogPosition
    /// Consecutive entries.
    public var entries: [LogEntry]
    /// The leader's commit point.
    public var commit: UInt64
    /// Counts heartbeats; the answer repeats it, so the leader knows that it still led when it sent this. 0 wants no
    /// answer unless there is something to acknowledge or to refuse.
    public var round: UInt64
    /// Counts the leader's searches for agreement with this peer; the answer repeats it. So a refusal is acted upon once,
    /// not once for each message that was on its way.
    public var attempt: UInt64
    /// With heartbeats: what nodes have promised in this view, as far as the leader knows, itself included. So the
    /// followers can remember it against a node that was rolled back, even when this leader is gone.
    public var acknowledged: [Acknowledgement] = []

    /// Seqno of the last entry here.
    public var end: UInt64 { previous.seqno &+ UInt64(entries.count) }
}

/// A node's promise that the leader's log up to an entry is on its disk.
public struct Acknowledgement: Hashable, Sendable {
    /// The node.
    public var peer: PeerID
    /// The entry, in the leader's log.
    public var position: LogPosition
}

/// What became of an ``AppendEntries``.
public struct AppendResponse: Hashable, Sendable {
    /// Accepted, or refused since the log differs at `previous`.
    public var accepted: Bool
    /// The sender's word counts. It does not while the sender is held back by the restart rule: then it only keeps up.
    public var counts: Bool
    /// If accepted: up to here the follower's log is the leader's and on disk. If refused: the seqno of the `previous`
    /// that did not fit.
    public var seqno: UInt64
    /// If refused: a place at or before `previous` where the logs may agree (express catch-up, as in CCF).
    public var agreement: LogPosition
    /// The round answered.
    public var round: UInt64
    /// The attempt answered.
    public var attempt: UInt64
    /// The follower's commit point.
    public var commit: UInt64
}

/// A candidate's request.
public struct VoteRequest: Hashable, Sendable {
    /// Only a question: would you vote for me in view + 1? Then the message's view is the view the sender is in.
    public var isPreVote: Bool
    /// The old leader asked for this election: loyalty to it does not count.
    public var isTransfer: Bool
    /// The candidate's last signature entry: what its log will end with if it wins.
    public var lastSignature: LogPosition
}

/// A voter's answer. A refusal's message view may be above the candidate's.
public struct VoteResponse: Hashable, Sendable {
    /// Answers a question only.
    public var isPreVote: Bool
    /// The view asked for.
    public var campaign: UInt64
    /// Yes or no.
    public var granted: Bool
    /// The voter's commit point: a candidate that holds it learns that it is committed.
    public var committed: LogPosition
    /// The newest configuration that the voter knows to be committed, be it from ``Configuration/settled``: a candidate
    /// that holds it learns that earlier ones do not count any more.
    public var settled: LogPosition
}

/// What a restarted node holds. Peers that hear it take up its view, as with any message.
public struct RestartQuery: Hashable, Sendable {
    /// Names this process start: an objection to it is never too late.
    public var start: UInt64
    /// Names this view of this process start: other answers are about a state that is not the node's any more.
    public var nonce: UInt64
    /// What it was found with, and is judged by.
    public var claim: RestartClaim
    /// The last entry of its log now.
    public var last: LogPosition
}

/// What a peer knows of a restarted node.
public struct RestartAnswer: Hashable, Sendable {
    /// The query's.
    public var start: UInt64
    /// The query's.
    public var nonce: UInt64
    /// Set if the peer knows of something that the node forgot.
    public var objection: RollbackReason?
    /// The peer is itself restarting; it speaks from its sealed state.
    public var isRestarting: Bool
    /// The peer leads the message's view.
    public var isLeader: Bool
    /// The peer hears a living leader in the message's view.
    public var hearsLeader: Bool
    /// The peer gave its vote to a candidate in the message's view.
    public var hasVoted: Bool
    /// The peer's last signature entry.
    public var lastSignature: LogPosition
    /// The peer's commit point.
    public var committed: LogPosition
    /// The configurations that the peer goes by.
    public var configurations: [PlacedConfiguration]
}
