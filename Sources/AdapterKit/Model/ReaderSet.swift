public import Primitives

/// Who may read an answer or a compartment. The adapter names it, the manager enforces it on every path out.
public enum ReaderSet: Hashable, Sendable {
    /// Anybody who reaches the node; also what leaves it in clear.
    case `public`
    /// Every actor of the consortium.
    case network
    /// Just these actors, sorted by name (bytewise) and without duplicates. Made by ``only(_:)``.
    case actors([ActorID])

    /// The set of just `actors`, brought into canonical order.
    public static func only(_ actors: some Sequence<ActorID>) -> ReaderSet {
        .actors(Set(actors).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }

    /// Whether `actor` may read. `nil` stands for somebody who is no actor.
    public func admits(_ actor: ActorID?) -> Bool {
        switch self {
        case .public: return true
        case .network: return actor != nil
        case .actors(let actors):
            guard let actor else { return false }
            return actors.contains(actor)
        }
    }
}

extension ReaderSet: Comparable {
    /// The canonical order of compartments: public, network, then lists of actors by their names.
    public static func < (left: ReaderSet, right: ReaderSet) -> Bool {
        switch (left, right) {
        case (.actors(let first), .actors(let second)):
            return first.lexicographicallyPrecedes(second) { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        default:
            return left.rank < right.rank
        }
    }

    private var rank: Int {
        switch self {
        case .public: 0
        case .network: 1
        case .actors: 2
        }
    }
}

extension ReaderSet: WireCodable {
    /// Appends the canonical byte form: a tag, and for `actors` the list.
    public func encode(to writer: inout ByteWriter) {
        writer.integer(UInt8(rank))
        if case .actors(let actors) = self {
            writer.list(actors) { $0.text($1) }
        }
    }

    /// Reads the canonical form; names that are out of order or repeated are refused.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        let at = reader.offset
        switch try reader.integer(UInt8.self) {
        case 0: self = .public
        case 1: self = .network
        case 2:
            let actors = try reader.list(limit: AdapterLimits.readersMax) { reader throws(ByteReaderError) in
                try reader.name()
            }
            for (left, right) in zip(actors, actors.dropFirst()) {
                guard left.utf8.lexicographicallyPrecedes(right.utf8) else { throw .invalid(at: at) }
            }
            self = .actors(actors)
        default: throw .invalid(at: at)
        }
    }
}
