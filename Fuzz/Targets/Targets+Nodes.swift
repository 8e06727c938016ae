import AdapterKit
import Consensus
import Identity
import Ledger
import Manager
import Primitives
import Simulator
import Transport

extension FuzzTarget {
    static let nodes: [FuzzTarget] = [nodeFrames, nodeMessage, raftMessage, raftCore, sealedState, ledgerRecords]

    /// What arrives on a node channel: frames in pieces.
    static let nodeFrames = FuzzTarget("node-frames") {
        let frame: [UInt8] = [3, 0, 0, 0, 7, 8, 9]
        return [("two", [5] + frame + frame), ("empty", [1, 0, 0, 0, 0])]
    } check: { bytes in
        guard let step = bytes.first.map({ Int($0 & 31) + 1 }) else { return }
        let stream = Array(bytes.dropFirst())
        var whole: [[UInt8]] = []
        var pieces: [[UInt8]] = []
        var isWhole = true
        var atOnce = FrameDecoder(frameBytesMax: 4096)
        var inPieces = FrameDecoder(frameBytesMax: 4096)
        do { try stream.withUnsafeBytes { try atOnce.feed($0, into: &whole) } } catch { isWhole = false }
        do {
            for start in stride(from: 0, to: stream.count, by: step) {
                let piece = Array(stream[start..<min(stream.count, start + step)])
                try piece.withUnsafeBytes { try inPieces.feed($0, into: &pieces) }
            }
            guard isWhole, whole == pieces else { throw FuzzFinding("frames depend on how they are cut") }
        } catch let error as FrameDecoder.TooLarge {
            guard !isWhole else { throw FuzzFinding("in pieces a frame of \(error.bytes) bytes is too large") }
            throw error
        }
    }

    static let nodeMessage = FuzzTarget("node-message", byteCountMax: 8192) {
        let id = TransactionID(view: 3, seqno: 41)
        let name = SnapshotName(seqno: 4, evidence: 6)
        let messages: [(String, NodeMessage)] = [
            ("consensus", .consensus([1, 2, 3])),
            (
                "forward",
                .forward(
                    number: 7, endpoint: "ethereum", [Submission(requestID: [7], actor: "bank-a", body: [1, 2])])
            ),
            (
                "decided",
                .decided(
                    number: 7,
                    [
                        .committed(id: id, index: 1, response: [5]), .unknown, .deferred(response: [3]),
                        .invalid(Rejection(code: -32_000, message: "no", data: [1])),
                    ])
            ),
            ("declined", .declined(number: 1, .busy)),
            (
                "join",
                .join(
                    JoinRequest(
                        address: "127.0.0.1:9000", publicKey: try FuzzKeys.key(2).publicKey.spki,
                        constitution: String(repeating: "ab", count: 32)))
            ),
            (
                "welcome",
                .welcome(
                    JoinGrant(
                        networkKey: [UInt8](repeating: 1, count: 32), networkCertificate: "a", nodeCertificate: "b",
                        epochKeys: [EpochKey(epoch: 1, key: [UInt8](repeating: 2, count: 32))]))
            ),
            ("refused", .refused(reason: "not yet", primary: "n1")),
            ("offer", .snapshotOffer(SnapshotListing(name: name, byteCount: 9))),
            ("pull", .snapshotPull(name, offset: 3, byteCount: 4)), ("part", .snapshotPart(name, offset: 3, [1])),
            ("gone", .snapshotGone(name)), ("bad", .snapshotRefused(name)),
        ]
        return messages.map { ($0.0, $0.1.encoded()) }
    } check: { bytes in
        try FuzzFinding.unless(NodeMessage(decoding: bytes).encoded(), is: bytes, "node message")
    }

    /// One message of each kind out of the life of a small network.
    private static func raftSeeds() throws -> [(name: String, bytes: [UInt8])] {
        var network = NetworkOfRafts()
        var seeds: [(name: String, bytes: [UInt8])] = []
        func collect() {
            for letter in network.letters {
                let name: String
                switch letter.message.body {
                case .append(let append): name = append.entries.isEmpty ? "heartbeat" : "append-\(append.entries.count)"
                case .appendResponse(let response): name = response.accepted ? "ack" : "nack"
                case .voteRequest(let request): name = request.isPreVote ? "pre-vote" : "vote"
                case .voteResponse(let response): name = response.isPreVote ? "pre-grant" : "grant"
                case .timeoutNow: name = "timeout"
                case .restartQuery: name = "restart-query"
                case .restartAnswer: name = "restart-answer"
                }
                if !seeds.contains(where: { $0.name == name }) { seeds.append((name, letter.message.encoded())) }
            }
        }
        func settle() {
            for _ in 0..<40 {
                collect()
                if network.deliver(rounds: 1) == 0 { break }
            }
        }
        network.begin(try Configuration(voters: ["n1", "n2", "n3"]))
        network.step("n1", .campaign)
        settle()
        let flexible = try Configuration(
            voters: ["n1", "n2", "n3"], learners: ["n4"], policy: .flexible(replication: 2, election: 2))
        network.join("n4")
        network.propose("n1", [.data, .configuration(flexible), .signature])
        settle()
        network.cut("n1", "n3")
        network.propose("n1", [.data, .signature])
        settle()
        network.mend()
        network.run(for: 200_000, delivering: false)
        settle()
        network.crash("n2")
        network.restart("n2")
        settle()
        network.step("n1", .transferLeadership(to: "n3"))
        settle()
        return seeds
    }

    static let raftMessage = FuzzTarget("raft-message", byteCountMax: 8192, seeds: raftSeeds) { bytes in
        try FuzzFinding.unless(RaftMessage(decoding: bytes).encoded(), is: bytes, "consensus message")
    }

    /// Nodes of a network get what a peer that lies might send, and time goes on between: they may stop, never trap.
    static let raftCore = FuzzTarget("raft-core", byteCountMax: 8192) {
        let seeds = try raftSeeds()
        return seeds.map { ($0.name, FuzzParts.join([[0x11] + $0.bytes])) }
            + [("all", FuzzParts.join(seeds.enumerated().map { [UInt8($0) &* 37] + $1.bytes }))]
    } check: { bytes in
        let ids = ["n1", "n2", "n3"]
        var network = NetworkOfRafts()
        network.begin(try Configuration(voters: ids))
        network.step("n1", .campaign)
        network.deliver()
        network.propose("n1", [.data, .signature])
        network.deliver()
        for part in FuzzParts.split(bytes).prefix(16) {
            guard let code = part.first else { continue }
            let (from, to) = (ids[Int(code & 3) % 3], ids[Int(code >> 2 & 3) % 3])
            if let message = try? RaftMessage(decoding: Array(part.dropFirst())) {
                network.step(to, .received(message, from: from))
            }
            if code & 0x10 != 0 { network.deliver(rounds: 20) }
            if code & 0x20 != 0 { network.tick(to, 700_000) }
            if code & 0x40 != 0 { network.propose(to, [.data, .signature]) }
            if code & 0x80 != 0 {
                network.crash(to)
                network.restart(to)
            }
        }
        network.run(for: 300_000, quantum: 50_000, delivering: false)
        network.deliver(rounds: 20)
    }

    static let sealedState = FuzzTarget("sealed-state") {
        var state = SealedState(nodeKey: [UInt8](repeating: 1, count: 32))
        state.networkKey = [UInt8](repeating: 2, count: 32)
        state.networkCertificate = "pem"
        state.epochKeys = [EpochKey(epoch: 1, key: [UInt8](repeating: 3, count: 32))]
        state.hardState = HardState(view: 4, committed: LogPosition(view: 2, seqno: 3))
        return [("full", state.encoded()), ("new", SealedState(nodeKey: []).encoded())]
    } check: { bytes in
        try FuzzFinding.unlessStable(SealedState(decoding: bytes).encoded(), "sealed state") {
            try SealedState(decoding: $0).encoded()
        }
    }

    static let ledgerRecords = FuzzTarget("ledger-records") {
        LedgerRecords.samples.map { ($0.name, [$0.kind.rawValue] + $0.bytes) }
    } check: { bytes in
        guard let kind = bytes.first.flatMap(LedgerRecords.Kind.init(rawValue:)) else { return }
        let record = Array(bytes.dropFirst())
        try FuzzFinding.unless(LedgerRecords.rewritten(record, kind), is: record, "record of kind \(kind)")
    }
}
