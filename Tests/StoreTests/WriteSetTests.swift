import Primitives
import Store
import Testing

/// A small seeded generator, so that a failing run can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func bytes(upTo count: Int) -> [UInt8] {
        (0..<Int.random(in: 0...count, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}

func randomWriteSet(_ random: inout SplitMix) -> WriteSet {
    WriteSet(
        (0..<Int.random(in: 0...4, using: &random)).map { _ in
            MapWrites(
                name: ["public:a", "b", "é", "public:ccf.gov.nodes.info"].randomElement(using: &random) ?? "x",
                changes: (0..<Int.random(in: 0...6, using: &random)).map { _ in
                    (random.bytes(upTo: 12), Bool.random(using: &random) ? random.bytes(upTo: 40) : nil)
                })
        })
}

@Suite struct WriteSetTests {
    @Test func sortsMergesAndSplits() {
        var set = WriteSet([
            MapWrites(
                name: "z", writes: [.init(key: [2], value: [1]), .init(key: [1], value: [7])], removes: [[3], [2]])
        ])
        set.put([9], at: [2], in: "public:p")
        set.remove([1], in: "z")
        set.put([5], at: [3], in: "z")
        #expect(set.maps.map(\.name) == ["public:p", "z"])
        #expect(set["z"]?.writes.map(\.key) == [[2], [3]])
        #expect(set["z"]?.removes == [[1]])
        #expect(set["z"]?[[3]] == [5])
        #expect(set["z"]?.change(of: [1]) == .some(nil))
        #expect(set["z"]?.change(of: [9]) == nil)
        #expect(set["y"] == nil)
        #expect(set.split().public.maps.map(\.name) == ["public:p"])
        #expect(set.split().private.maps.map(\.name) == ["z"])
        #expect(set.changeCount == 4)
    }

    @Test func ofTwoWritesTheLaterCounts() {
        let map = MapWrites(name: "m", writes: [.init(key: [1], value: [1]), .init(key: [1], value: [2])])
        #expect(map.writes == [.init(key: [1], value: [2])])
        #expect(WriteSet([MapWrites(name: "m")]).isEmpty)
    }

    @Test func encodesTheLayoutByteForByte() {
        var set = WriteSet()
        set.put([0xAA], at: [1, 2], in: "m")
        set.remove([9], in: "m")
        #expect(
            Array(set.encoded()) == [
                1, 0, 0, 0, 0, 0, 0, 0, 0x6D, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
                2, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0xAA, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0,
                0, 0, 9,
            ])
    }

    @Test(arguments: 0..<40) func roundTrips(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let set = randomWriteSet(&random)
        let bytes = set.encoded()
        #expect(bytes.count == set.encodedCount)
        #expect(try WriteSet.decode(bytes) == set)
        for length in 0..<bytes.count {
            // A cut falls either on the border of a map, and then gives fewer maps, or is an error.
            if let cut = try? WriteSet.decode(bytes, in: 0..<length) { #expect(cut.maps.count < set.maps.count) }
        }
    }

    @Test(arguments: 0..<40) func survivesDamage(seed: UInt64) {
        var random = SplitMix(state: seed &+ 1000)
        let bytes = randomWriteSet(&random).encoded()
        guard !bytes.isEmpty else { return }
        for _ in 0..<300 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            // Either an error, or a set whose one byte form is what was read.
            if let set = try? WriteSet.decode(damaged) { #expect(set.encoded() == damaged) }
            _ = try? WriteSet.decode(damaged, form: .ccf)
        }
    }

    @Test func refusesWhatIsOverTheLimits() {
        var set = WriteSet()
        set.put([1, 2, 3], at: [1, 2], in: "map")
        set.put([1, 2, 3], at: [1, 3], in: "map")
        let bytes = set.encoded()
        for limits in [
            WriteSetLimits(nameBytesMax: 2), WriteSetLimits(keyBytesMax: 1), WriteSetLimits(valueBytesMax: 2),
            WriteSetLimits(changeCountMax: 1), WriteSetLimits(mapCountMax: 0),
        ] {
            #expect(throws: StoreError.tooLarge("")) { try WriteSet.decode(bytes, limits: limits) }
        }
    }

    @Test func refusesOtherThanTheCanonicalForm() {
        var set = WriteSet()
        set.put([1], at: [1], in: "a")
        var versioned = set.encoded()
        versioned[9] = 1
        #expect(throws: StoreError.malformed("")) { try WriteSet.decode(versioned) }
        #expect(throws: Never.self) { try WriteSet.decode(versioned, form: .ccf) }
        let twice = set.encoded() + set.encoded()
        #expect(throws: StoreError.malformed("")) { try WriteSet.decode(twice, form: .ccf) }
        var reads = set.encoded()
        reads[17] = 1
        #expect(throws: StoreError.malformed("")) { try WriteSet.decode(reads, form: .ccf) }
    }
}
