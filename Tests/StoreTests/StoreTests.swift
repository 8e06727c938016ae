import Store
import Testing

@Suite struct StoreTests {
    private static let schema = Store.Schema(["hash.": .hashed, "hash.not": .ordered])

    private func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func schemaTakesTheLongestPrefix() {
        #expect(Self.schema.kind(of: "hash.x") == .hashed)
        #expect(Self.schema.kind(of: "hash.not.x") == .ordered)
        #expect(Self.schema.kind(of: "x") == .ordered)
        #expect(Store.Schema(other: .hashed).kind(of: "x") == .hashed)
    }

    @Test(arguments: ["hash.m", "m"]) func readsScansAndRollsBack(map: String) throws {
        var store = Store(schema: Self.schema)
        var writes = WriteSet()
        for key in ["b", "a", "ab", "c", "b\u{7F}"] { writes.put(text("v" + key), at: text(key), in: map) }
        try store.apply(writes, at: 3)
        var more = WriteSet()
        more.remove(text("ab"), in: map)
        more.put([], at: text("b"), in: map)
        try store.apply(more, at: 5)
        #expect(store.latest.get(map, text("b")) == [])
        #expect(!store.latest.contains(map, text("ab")))
        #expect(store.committed.count(map) == 0)
        #expect(try store.view(at: 4).get(map, text("ab")) == text("vab"))
        #expect(try store.view(at: 2).seqno == 0)
        #expect(throws: StoreError.outOfOrder("")) { try store.apply(more, at: 5) }
        var seen: [[UInt8]] = []
        try store.view(at: 3).scan(map, from: text("ab"), to: text("c")) { key, _ in
            seen.append(key)
            return true
        }
        #expect(seen == [text("ab"), text("b"), text("b\u{7F}")])
        seen = []
        try store.view(at: 3).scan(map, to: text("c"), isReversed: true) { key, _ in
            seen.append(key)
            return seen.count < 2
        }
        #expect(seen == [text("b\u{7F}"), text("b")])
        #expect(try store.view(at: 3).pairs(map, prefix: text("a")).map(\.key) == [text("a"), text("ab")])
        #expect(try store.view(at: 3).pairs(map, prefix: text("a"), limit: 1).map(\.key) == [text("a")])
        store.commit(to: 4)
        #expect(store.committed.seqno == 3)
        #expect(throws: StoreError.unknownVersion("")) { try store.view(at: 2) }
        #expect(throws: StoreError.unknownVersion("")) { try store.rollback(to: 2) }
        try store.rollback(to: 4)
        #expect(store.latest.seqno == 3)
        #expect(store.latest.get(map, text("ab")) == text("vab"))
    }

    @Test func prefixesOfFFHaveNoEnd() throws {
        var store = Store()
        var writes = WriteSet()
        for key: [UInt8] in [[0xFE], [0xFF], [0xFF, 0xFF], [0xFF, 0xFF, 1]] { writes.put([1], at: key, in: "m") }
        try store.apply(writes, at: 1)
        #expect(store.latest.pairs("m", prefix: [0xFF, 0xFF]).count == 2)
        #expect(store.latest.pairs("m", prefix: [0xFE]).count == 1)
        #expect(store.latest.pairs("m").count == 4)
    }

    /// Against plain dictionaries, one for each version.
    @Test(arguments: 0..<24) func agreesWithDictionaries(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var store = Store(schema: Self.schema)
        var models: [(seqno: UInt64, maps: [String: [[UInt8]: [UInt8]]])] = [(0, [:])]
        var committed: UInt64 = 0
        var seqno: UInt64 = 0
        for _ in 0..<200 {
            switch Int.random(in: 0..<8, using: &random) {
            case 0:
                let target = UInt64.random(in: committed...seqno, using: &random)
                try store.rollback(to: target)
                models.removeAll { $0.seqno > target }
                seqno = max(target, models.last?.seqno ?? 0)
            case 1:
                let target = UInt64.random(in: committed...seqno, using: &random)
                store.commit(to: target)
                committed = store.committed.seqno
            default:
                seqno += UInt64.random(in: 1...3, using: &random)
                var model = models.last?.maps ?? [:]
                let writes = WriteSet(
                    ["m", "hash.m"].map { name in
                        MapWrites(
                            name: name,
                            changes: (0..<Int.random(in: 0...12, using: &random)).map { _ in
                                let key = [UInt8.random(in: 0...40, using: &random)]
                                return (key, Int.random(in: 0..<3, using: &random) == 0 ? nil : random.bytes(upTo: 3))
                            })
                    })
                for map in writes.maps {
                    for write in map.writes { model[map.name, default: [:]][write.key] = write.value }
                    for key in map.removes { model[map.name]?[key] = nil }
                }
                try store.apply(writes, at: seqno)
                models.append((seqno, model))
            }
            #expect(store.orderedMapsAreSound)
            for model in models where model.seqno >= committed {
                let view = try store.view(at: model.seqno)
                for name in ["m", "hash.m"] {
                    let expected = (model.maps[name] ?? [:]).sorted { $0.key.lexicographicallyPrecedes($1.key) }
                    let found = view.pairs(name)
                    #expect(found.map(\.key) == expected.map(\.key))
                    #expect(found.map(\.value) == expected.map(\.value))
                    #expect(view.count(name) == expected.count)
                }
            }
        }
        let again = Store(schema: Self.schema, contents: store.latest.contents, seqno: seqno)
        #expect(again.latest.contents == store.latest.contents)
    }

    @Test func staysBalancedWhenKeysComeInOrder() throws {
        var store = Store()
        for seqno in 1...2000 as ClosedRange<UInt64> {
            var writes = WriteSet()
            writes.put([], at: [UInt8(seqno >> 8), UInt8(seqno & 255)], in: "m")
            if seqno > 1000 { writes.remove([UInt8((seqno - 1000) >> 8), UInt8((seqno - 1000) & 255)], in: "m") }
            try store.apply(writes, at: seqno)
            if seqno % 100 == 0 {
                store.commit(to: seqno)
                #expect(store.orderedMapsAreSound)
            }
        }
        #expect(store.latest.count("m") == 1000)
    }
}
