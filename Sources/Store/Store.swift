/// The replicated state: named maps of bytes, with a version for each entry that is not committed yet.
///
/// A value type without I/O. Versions share what they have in common, so that a rollback is a change of a reference.
public struct Store: Sendable {
    /// Which maps are ordered and which hashed. Of several rules the longest matching prefix counts.
    public struct Schema: Sendable, Hashable {
        private let rules: [(prefix: String, kind: MapKind)]
        private let other: MapKind

        /// A schema by prefixes of map names; a whole name is a prefix too.
        public init(_ kinds: [String: MapKind] = [:], other: MapKind = .ordered) {
            rules = kinds.map { (prefix: $0.key, kind: $0.value) }
                .sorted { ($1.prefix.utf8.count, $0.prefix) < ($0.prefix.utf8.count, $1.prefix) }
            self.other = other
        }

        /// How the map `name` is kept.
        public func kind(of name: String) -> MapKind {
            rules.first { name.utf8.starts(with: $0.prefix.utf8) }?.kind ?? other
        }

        /// Schemas with the same rules are equal.
        public static func == (left: Self, right: Self) -> Bool {
            left.other == right.other
                && left.rules.elementsEqual(right.rules) { $0.prefix == $1.prefix && $0.kind == $1.kind }
        }

        /// Hashes the rules.
        public func hash(into hasher: inout Hasher) {
            hasher.combine(other)
            for rule in rules {
                hasher.combine(rule.prefix)
                hasher.combine(rule.kind)
            }
        }
    }

    /// How each map is kept.
    public let schema: Schema
    /// The state at the last committed entry.
    public private(set) var committed: StoreView
    /// States after each entry since then, ascending by seqno.
    private var uncommitted: [StoreView] = []

    /// A store without a key.
    public init(schema: Schema = Schema()) {
        self.schema = schema
        committed = StoreView(seqno: 0, maps: [:])
    }

    /// A store that begins with a snapshot's contents as of `seqno`, committed.
    public init(schema: Schema = Schema(), contents: WriteSet, seqno: UInt64) {
        self.init(schema: schema)
        committed = StoreView(seqno: seqno, maps: Self.applied(contents, to: [:], schema))
    }

    /// The state after the last entry applied.
    public var latest: StoreView { uncommitted.last ?? committed }

    /// The state after the entry at `seqno`, or after the last one before it that changed anything.
    /// - Throws: ``StoreError/unknownVersion(_:file:line:)`` before the committed entry.
    public func view(at seqno: UInt64) throws(StoreError) -> StoreView {
        guard seqno >= committed.seqno else {
            throw .unknownVersion("seqno \(seqno) is before \(committed.seqno), which is committed")
        }
        return uncommitted.last { $0.seqno <= seqno } ?? committed
    }

    /// Applies the changes of the entry at `seqno`.
    /// - Throws: ``StoreError/outOfOrder(_:file:line:)`` unless it is after the last one applied.
    public mutating func apply(_ writes: WriteSet, at seqno: UInt64) throws(StoreError) {
        guard seqno > latest.seqno else {
            throw .outOfOrder("a write set at \(seqno) after one at \(latest.seqno)")
        }
        uncommitted.append(StoreView(seqno: seqno, maps: Self.applied(writes, to: latest.maps, schema)))
    }

    /// Takes back all entries after `seqno`.
    /// - Throws: ``StoreError/unknownVersion(_:file:line:)`` when some of them are committed.
    public mutating func rollback(to seqno: UInt64) throws(StoreError) {
        guard seqno >= committed.seqno else {
            throw .unknownVersion("a rollback to \(seqno), before \(committed.seqno), which is committed")
        }
        while let last = uncommitted.last, last.seqno > seqno { uncommitted.removeLast() }
    }

    /// Makes the state as of `seqno` the committed one and forgets those before it. Nothing happens if it already is.
    public mutating func commit(to seqno: UInt64) {
        guard let index = uncommitted.lastIndex(where: { $0.seqno <= seqno }) else { return }
        committed = uncommitted[index]
        uncommitted.removeFirst(index + 1)
    }

    private static func applied(
        _ writes: WriteSet, to maps: [String: MapVersion], _ schema: Schema
    ) -> [String: MapVersion] {
        var maps = maps
        for changes in writes.maps {
            maps[changes.name, default: MapVersion(schema.kind(of: changes.name))].apply(changes)
        }
        return maps
    }
}

extension Store {
    /// Whether every ordered map of every version is in order and balanced; linear, for tests.
    package var orderedMapsAreSound: Bool {
        ([committed] + uncommitted).allSatisfy { view in
            view.maps.values.allSatisfy { if case .ordered(let tree) = $0 { tree.invariantsHold() } else { true } }
        }
    }
}
