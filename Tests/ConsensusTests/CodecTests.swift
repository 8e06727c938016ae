import Consensus
import Primitives
import Simulator
import Testing

@Suite struct CodecTests {
    /// Every message that a lively cluster sends is read as it was written.
    @Test func roundTrip() throws {
        for message in Self.samples() {
            #expect(try RaftMessage(decoding: message.encoded()) == message)
        }
    }

    @Test func truncatedOrExtended() {
        for message in Self.samples() {
            let bytes = message.encoded()
            for end in 0..<bytes.count {
                #expect(throws: ConsensusError.message("")) { try RaftMessage(decoding: Array(bytes[..<end])) }
            }
            #expect(throws: ConsensusError.message("")) { try RaftMessage(decoding: bytes + [0]) }
        }
    }

    /// Flipped, cut and spliced bytes never trap: they are refused, or read as another message that a node survives.
    @Test func hostileBytes() {
        var random = SplitMix64(seed: 1)
        let samples = Self.samples().map { $0.encoded() }
        var network = NetworkFixture.three()
        var read = 0
        for _ in 0..<20_000 {
            var bytes = samples[Int(random.below(UInt64(samples.count)))]
            for _ in 0...random.below(4) {
                bytes[Int(random.below(UInt64(bytes.count)))] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.below(4) == 0 { bytes.removeLast(Int(random.below(UInt64(bytes.count)))) }
            guard let message = try? RaftMessage(decoding: bytes) else { continue }
            read += 1
            let id = network.ids[Int(random.below(3))]
            network.step(id, .received(message, from: "n\(1 + random.below(4))"))
            network.letters.removeAll()
            if network[id]?.raft?.isRefusing ?? true { network = NetworkFixture.three() }
        }
        #expect(read > 1000)
    }

    /// A count can't promise more than there are bytes, and views of entries must be in order.
    @Test func limits() {
        var writer = ByteWriter()
        writer.integer(UInt8(1))
        writer.integer(UInt8(1))
        for value in [3, 2, 5, 5, 0] as [UInt64] { writer.integer(value) }
        writer.integer(UInt32(60_000))
        #expect(throws: ConsensusError.message("")) { try RaftMessage(decoding: writer.bytes) }
    }

    @Test func sealedState() throws {
        for vote in [Vote.free, .spent, .given("n1")] {
            var writer = ByteWriter()
            let state = HardState(view: 7, vote: vote, commit: 9)
            state.encode(to: &writer)
            var reader = ByteReader(writer.bytes)
            #expect(try HardState(decoding: &reader) == state)
            #expect(reader.remaining == 0)
        }
    }

    static func samples() -> [RaftMessage] {
        var network = NetworkFixture.three()
        var messages: [RaftMessage] = []
        func collect() {
            for _ in 0..<20 {
                messages += network.letters.map(\.message)
                network.deliver(rounds: 1)
            }
        }
        network.step("n1", .campaign)
        collect()
        if let configuration = try? Configuration(
            voters: ["n1", "n2"], learners: ["n3"], policy: .replication(2), settled: 1)
        {
            network.propose("n1", [.data, .signature])
            collect()
            network.propose("n1", [.configuration(configuration), .data, .signature])
            collect()
        }
        network.crash("n3")
        network.restart("n3")
        collect()
        network.step("n1", .transferLeadership(to: "n2"))
        collect()
        var seen: [RaftMessage] = []
        for message in messages where !seen.contains(message) { seen.append(message) }
        return seen
    }
}
