import Attestation
import Consensus
import Constitution
import Ledger
import Primitives

/// A governance message that has no answer yet.
struct GovernanceWork: Sendable {
    /// Who waits for the answer.
    enum Origin: Sendable {
        /// A client of this node.
        case client(RequestToken)
        /// Another node, under its own number.
        case peer(PeerID, number: UInt64)
    }

    /// Where it is now.
    enum Place: Sendable, Equatable {
        /// No primary is known.
        case waiting
        /// In this primary's queue.
        case queued
        /// Its answer counts when the entry is committed.
        case undecided(seqno: UInt64)
        /// At the primary.
        case forwarded(to: PeerID)
        /// Decided by the primary; this node has yet to commit the entry.
        case decided(GovernanceAnswer)
    }

    let number: UInt64
    let origin: Origin
    var call: GovernanceCall
    var place = Place.waiting
    /// Monotonic microseconds after which the outcome counts as unknown.
    let deadline: UInt64
}

/// The manager's part of governance: messages under way, and on the primary the state that the next one meets.
struct GovernanceDesk: Sendable {
    /// Messages under way at most.
    static let worksMax = 256

    /// The governance of the primary's latest state, uncommitted entries included; nil when it must be read anew.
    var latest: Governance?
    /// Ledger time of the primary's last step.
    var lastStep: UInt64 = 0
    /// The last entry that a step of this leadership made.
    var lastEntry: UInt64 = 0
    var works: [UInt64: GovernanceWork] = [:]
    /// Numbers of the works that wait at this primary, in order.
    var queue: [UInt64] = []
    /// Answers that count once the entry is committed.
    var atCommit: [UInt64: [(work: UInt64, answer: GovernanceAnswer)]] = [:]
    var events = GovernanceEvents()
    /// Versions of the constitution in the committed state; nil when they must be read anew.
    var history: ConstitutionHistory?

    /// Forgets the state of a leadership. Works stay.
    mutating func endLeadership() {
        latest = nil
        lastStep = 0
        lastEntry = 0
    }
}

/// What happened lately in governance, for those who watch.
struct GovernanceEvents: Sendable {
    /// Events kept; who was away for longer reads the list of proposals.
    static let keptMax = 512

    private(set) var kept: [(seqno: UInt64, json: JSON)] = []
    /// Clients that wait for the next event after a seqno.
    var waiting: [(token: RequestToken, since: UInt64, deadline: UInt64)] = []

    mutating func add(_ json: JSON, at seqno: UInt64) {
        kept.append((seqno, json))
        if kept.count > Self.keptMax { kept.removeFirst(kept.count - Self.keptMax) }
    }

    func after(_ seqno: UInt64) -> [JSON] { kept.filter { $0.seqno > seqno }.map(\.json) }
}
