import AdapterKit
import Primitives

/// The filters that actors installed and poll. They live in one node's worker: after a change of node the client gets
/// "filter not found" and installs a new one, as with any node that restarts.
struct FilterRegistry {
    /// What a filter watches.
    enum Subject {
        case logs(LogFilter)
        case blocks
        case pendingTransactions
    }

    private struct Filter {
        var subject: Subject
        /// First block that was not reported yet.
        var next: UInt64
        /// Ledger time in milliseconds of the last poll.
        var polled: UInt64
    }

    private let perActorMax: Int
    private let expiryMillis: UInt64
    private var filters: [ActorID: [Bytes32: Filter]] = [:]
    private var counter: UInt64 = 0

    /// Filters over all actors: what memory allows for, whatever the number of actors.
    private static let totalMax = 100_000

    init(perActorMax: Int, expirySeconds: UInt64) {
        self.perActorMax = perActorMax
        expiryMillis = expirySeconds * 1000
    }

    /// Installs a filter and gives its id.
    mutating func add(_ subject: Subject, for actor: ActorID, next: UInt64, now: UInt64) throws(RPCError) -> JSON {
        expire(actor, now)
        guard filters[actor]?.count ?? 0 < perActorMax, filters.values.reduce(0, { $0 + $1.count }) < Self.totalMax
        else { throw .server("too many filters; uninstall some or wait until they expire") }
        counter += 1
        // Not a secret: a filter is found by its actor. The hash only keeps ids of two nodes apart.
        var seed = ByteWriter()
        seed.text(actor)
        seed.integer(counter)
        seed.integer(now)
        let id = Keccak256.hash(seed.bytes)
        filters[actor, default: [:]][id] = Filter(subject: subject, next: next, polled: now)
        return .data(id)
    }

    /// The subject of a filter.
    mutating func subject(_ id: Bytes32, of actor: ActorID, now: UInt64) throws(RPCError) -> Subject {
        expire(actor, now)
        guard let filter = filters[actor]?[id] else { throw .server("filter not found") }
        filters[actor]?[id]?.polled = now
        return filter.subject
    }

    /// The subject of a filter and the first block not yet reported; up to and with `last` counts as reported then.
    mutating func poll(
        _ id: Bytes32, of actor: ActorID, through last: UInt64, now: UInt64
    ) throws(RPCError) -> (Subject, first: UInt64) {
        let subject = try subject(id, of: actor, now: now)
        let first = filters[actor]?[id]?.next ?? last + 1
        filters[actor]?[id]?.next = max(first, last + 1)
        return (subject, first)
    }

    /// Removes a filter; false if there was none.
    mutating func remove(_ id: Bytes32, of actor: ActorID) -> Bool {
        filters[actor]?.removeValue(forKey: id) != nil
    }

    private mutating func expire(_ actor: ActorID, _ now: UInt64) {
        guard let mine = filters[actor] else { return }
        let live = mine.filter { now < $0.value.polled || now - $0.value.polled < expiryMillis }
        if live.count != mine.count { filters[actor] = live }
    }
}
