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
        writer.integer(UInt8(2))
        writer.integer(UInt8(1))
        for value in [3, 2, 5, 5, 0, 0] as [UInt64] { writer.integer(value) }
        var tooMany = writer
        writer.integer(UInt32(0))
        writer.integer(UInt32(60_000))
        #expect(throws: ConsensusError.message("")) { try RaftMessage(decoding: writer.bytes) }
        tooMany.integer(UInt32(65))
        for peer in 0..<65 {
            tooMany.text("n\(peer)")
            tooMany.integer(UInt64(2))
            tooMany.integer(UInt64(1))
        }
        tooMany.integer(UInt32(0))
        #expect(throws: ConsensusError.message("")) { try RaftMessage(decoding: tooMany.bytes) }
    }

    @Test func sealedState() throws {
        for vote in [Vote.free, .spent, .given("n1")] {
            for claim in [nil, RestartClaim(view: 6, vote: vote, last: LogPosition(view: 5, seqno: 11))] {
                var writer = ByteWriter()
                let state = HardState(view: 7, vote: vote, committed: LogPosition(view: 3, seqno: 9), claim: claim)
                state.encode(to: &writer)
                var reader = ByteReader(writer.bytes)
                #expect(try HardState(decoding: &reader) == state)
                #expect(reader.remaining == 0)
                for end in 0..<writer.bytes.count {
                    var cut = ByteReader(Array(writer.bytes[..<end]))
                    #expect(throws: ByteReaderError.self) { try HardState(decoding: &cut) }
                }
            }
        }
    }

    /// What the first version sealed: view, vote, seqno of the committed entry.
    @Test func sealedStateOfTheFirstVersion() throws {
        var writer = ByteWriter()
        writer.integer(UInt8(1))
        writer.integer(UInt64(7))
        writer.integer(UInt8(1))
        writer.integer(UInt64(9))
        var reader = ByteReader(writer.bytes)
        let state = try HardState(decoding: &reader)
        #expect(state == HardState(view: 7, vote: .spent, committed: LogPosition(view: 0, seqno: 9)))
        #expect(reader.remaining == 0)
    }

    /// An acknowledgement can't be of a later view than the message that tells of it.
    @Test func acknowledgementsOfLaterViews() throws {
        let heartbeats = Self.samples().filter { message in
            guard case .append(let append) = message.body else { return false }
            return append.acknowledged.count > 1
        }
        var message = try #require(heartbeats.first)
        guard case .append(var append) = message.body else { return }
        append.acknowledged[1].position.view = message.view + 1
        message.body = .append(append)
        #expect(throws: ConsensusError.message("")) { try RaftMessage(decoding: message.encoded()) }
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
        network.run(for: 60_000, delivering: false)
        collect()
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
