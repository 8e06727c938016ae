import Attestation
import Identity
import Primitives
import Testing

@Suite("Attested handshake")
struct HandshakeTests {
    let world: World

    init() throws { world = try World() }

    @Test("two listed nodes with approved code get to know each other")
    func success() throws {
        var a = world.end(0, .initiator, peer: 1)
        var b = world.end(1, .responder, peer: 0)
        try run(&a, &b)
        guard case .verified(let peer)? = a.peer, case .verified(let other)? = b.peer else {
            Issue.record("\(String(describing: a.refusal)) \(String(describing: b.refusal))")
            return
        }
        #expect(peer.nodeID == world.nodeKeys[1].publicKey.id)
        #expect(peer.owner == "bank-b")
        #expect(peer.measurement == world.manager)
        #expect(peer.workerMeasurement == world.worker)
        #expect(other.owner == "bank-a")
    }

    @Test("messages that come one at a time and in any interleaving lead to the same end")
    func interleaving() throws {
        for seed in 0..<50 {
            var random = Random(state: UInt64(seed))
            var a = world.end(0, .initiator, peer: 1)
            var b = world.end(1, .responder, peer: 0)
            try a.start()
            try b.start()
            var toA: [[UInt8]] = []
            var toB: [[UInt8]] = []
            for _ in 0..<100 {
                toB += a.takeSent()
                toA += b.takeSent()
                if random.below(2) == 0, !toA.isEmpty {
                    try a.receive(toA.removeFirst())
                } else if !toB.isEmpty {
                    try b.receive(toB.removeFirst())
                }
            }
            #expect(a.peer != nil && b.peer != nil, "seed \(seed)")
        }
    }

    @Test("a joiner that knows the network's id only judges later")
    func joiner() throws {
        var a = world.end(0, .initiator, peer: 1, rule: .networkOnly(World.network))
        var b = world.end(1, .responder, peer: 0)
        try run(&a, &b)
        guard case .claimed(let claimed)? = a.peer, case .verified? = b.peer else {
            Issue.record("\(String(describing: a.refusal))")
            return
        }
        #expect(try claimed.verify(by: world.policy, at: World.time).owner == "bank-b")
        var changed = world.policy
        changed.nodes.remove(at: 1)
        refused(.notListed) { try claimed.verify(by: changed, at: World.time) }
        changed = world.policy
        changed.code.entries.removeLast()
        refused(.measurementNotListed) { try claimed.verify(by: changed, at: World.time) }
        changed = world.policy
        changed.tee.softwareKeys.remove(at: 1)
        refused(.platformKeyNotListed) { try claimed.verify(by: changed, at: World.time) }
    }

    @Test("a worker inside the manager takes a combined measurement")
    func combined() throws {
        var world = world
        world.policy.code.entries = [
            .init(name: "both", version: "1", role: .combined, platform: .software, measurement: world.manager)
        ]
        func end(_ index: Int, _ role: AttestedHandshake.Role, worker: [UInt8]) -> End {
            var end = world.end(index, role, peer: 1 - index)
            end.handshake = AttestedHandshake(
                own: .init(
                    role: role, nodeKey: world.nodeKeys[index], rule: .policy(world.policy), workerMeasurement: worker,
                    challenge: [UInt8](repeating: UInt8(index), count: 32)),
                session: .init(peerKey: world.nodeKeys[1 - index].publicKey.spki, binding: world.binding))
            return end
        }
        var a = end(0, .initiator, worker: [])
        var b = end(1, .responder, worker: [])
        try run(&a, &b)
        #expect(a.peer != nil && b.peer != nil)
        a = end(0, .initiator, worker: world.worker)
        b = end(1, .responder, worker: [])
        try run(&a, &b)
        #expect(b.refusal?.kind == .measurementNotListed)
    }

    /// Runs a handshake whose first end is wrong, and expects the second to refuse for `kind` and both to know it.
    private func expect(
        _ kind: HandshakeRefusal.Kind, _ a: End, _ b: End, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var (a, b) = (a, b)
        try run(&a, &b)
        #expect(b.peer == nil, sourceLocation: sourceLocation)
        #expect(b.refusal?.kind == kind, "\(String(describing: b.refusal))", sourceLocation: sourceLocation)
        #expect(a.peer == nil, sourceLocation: sourceLocation)
        #expect(a.refusal != nil, sourceLocation: sourceLocation)
    }

    private func refused(
        _ kind: HandshakeRefusal.Kind, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Any
    ) {
        do {
            _ = try body()
            Issue.record("not refused", sourceLocation: sourceLocation)
        } catch {
            #expect((error as? HandshakeRefusal)?.kind == kind, sourceLocation: sourceLocation)
        }
    }

    @Test("refuses a node of another network, and one that shows another key than TLS")
    func strangers() throws {
        let b = world.end(1, .responder, peer: 0)
        var policy = world.policy
        policy.networkID = String(repeating: "cd", count: 32)
        try expect(.otherNetwork, world.end(0, .initiator, peer: 1, rule: .policy(policy)), b)
        try expect(.otherTLSKey, world.end(2, .initiator, peer: 1), b)
    }

    @Test("refuses what is not on the VN list, or on it under another key")
    func unlisted() throws {
        var world = world
        let joiner = world.end(0, .initiator, peer: 1)
        world.policy.nodes.removeFirst()
        try expect(.notListed, joiner, world.end(1, .responder, peer: 0))
        world.policy.nodes.append(
            .init(
                nodeID: world.nodeKeys[0].publicKey.id, owner: "bank-a", publicKey: world.nodeKeys[2].publicKey.spki))
        try expect(.notListed, joiner, world.end(1, .responder, peer: 0))
    }

    @Test("refuses other code, another worker, another owner's platform, an unlisted platform")
    func evidence() throws {
        let b = world.end(1, .responder, peer: 0)
        var a = world.end(0, .initiator, peer: 1)
        a.measurement = [UInt8](repeating: 0x99, count: 32)
        try expect(.measurementNotListed, a, b)
        a = world.end(0, .initiator, peer: 1)
        a.platformKey = world.platformKeys[1]
        try expect(.platformKeyNotListed, a, b)
        a.platformKey = try key(200)
        try expect(.platformKeyNotListed, a, b)
        a = world.end(0, .initiator, peer: 1)
        var other = world
        other.policy.code.entries[1].measurement = [UInt8](repeating: 0x99, count: 32)
        try expect(.measurementNotListed, a, other.end(1, .responder, peer: 0))
        other = world
        other.policy.tee.rules = []
        try expect(.platformNotAllowed, a, other.end(1, .responder, peer: 0))
    }

    @Test("refuses evidence from another TLS session")
    func otherChannel() throws {
        let own = AttestedHandshake.Own(
            role: .initiator, nodeKey: world.nodeKeys[0], rule: .policy(world.policy), workerMeasurement: world.worker,
            challenge: [UInt8](repeating: 3, count: 32))
        var a = world.end(0, .initiator, peer: 1)
        a.handshake = AttestedHandshake(
            own: own,
            session: .init(peerKey: world.nodeKeys[1].publicKey.spki, binding: [UInt8](repeating: 0x78, count: 32)))
        try expect(.badSignature, a, world.end(1, .responder, peer: 0))
    }

    @Test("refuses a recorded handshake that is played again")
    func replay() throws {
        var recorded: [[UInt8]] = []
        var a = world.end(0, .initiator, peer: 1)
        var b = world.end(1, .responder, peer: 0)
        try run(&a, &b) { fromFirst, message in
            if fromFirst { recorded.append(message) }
            return [message]
        }
        #expect(b.peer != nil)
        #expect(recorded.count == 3)
        // The same TLS session in everything but the challenge that b draws.
        var again = world.end(1, .responder, peer: 0, challenge: 0xEE)
        try again.start()
        for message in recorded { try again.receive(message) }
        #expect(again.peer == nil)
        #expect(again.refusal?.kind == .badSignature)
    }

    @Test("refuses old evidence under a fresh signature")
    func replayedEvidence() throws {
        var a = world.end(0, .initiator, peer: 1)
        var b = world.end(1, .responder, peer: 0)
        try a.start()
        try b.start()
        let old = try SoftwareEvidence.sign(
            measurement: world.manager, reportData: ReportData.initial(nodeKey: [], workerMeasurement: []),
            platformKey: world.platformKeys[0])
        // Node a itself, but with evidence from another time.
        let asked = a.handshake.handle(.message(b.takeSent()[0]), at: World.time)
        guard case .obtainEvidence? = asked.first else {
            Issue.record("no evidence asked for")
            return
        }
        try a.perform(a.handshake.handle(.evidence(old.evidence), at: World.time))
        for message in a.takeSent() { try b.receive(message) }
        #expect(b.refusal?.kind == .reportDataMismatch)
        #expect(b.peer == nil)
    }

    @Test("refuses a middleman that passes on messages between two TLS sessions")
    func relay() throws {
        // The middleman is node c, a listed node with honest evidence of its own: it ends TLS of both sides and passes on
        // what they say. Each end sees the middleman's TLS key.
        var a = world.end(0, .initiator, peer: 2)
        var b = world.end(1, .responder, peer: 2)
        try run(&a, &b)
        #expect(a.refusal?.kind == .otherTLSKey)
        #expect(b.refusal?.kind == .otherTLSKey)
    }

    @Test("refuses a node that its own messages are reflected to")
    func reflection() throws {
        var a = world.end(0, .initiator, peer: 0)
        try a.start()
        for message in a.takeSent() { try a.receive(message) }
        #expect(a.refusal?.kind == .ownKey)
    }

    @Test("refuses a message that is cut, extended or changed anywhere")
    func damage() throws {
        for place in 0..<3 {
            var length = 0
            var offset = 0
            repeat {
                for change in 0..<3 {
                    var a = world.end(0, .initiator, peer: 1)
                    var b = world.end(1, .responder, peer: 0)
                    var index = 0
                    try run(&a, &b) { fromFirst, message in
                        guard fromFirst else { return [message] }
                        defer { index += 1 }
                        guard index == place else { return [message] }
                        length = message.count
                        var bytes = message
                        switch change {
                        case 0: bytes = Array(bytes.prefix(offset))
                        case 1: bytes[offset] ^= 0x10
                        default: bytes.insert(0x55, at: offset)
                        }
                        return [bytes]
                    }
                    #expect(b.peer == nil, "message \(place), byte \(offset), change \(change)")
                    // Before its acceptance went out the first end can't be done; after it, it may be, and TLS closes.
                    #expect(a.peer == nil || place == 2)
                    #expect(b.refusal != nil)
                }
                offset += place == 1 ? 13 : 5
            } while offset < length
        }
    }

    @Test("refuses messages twice or out of turn")
    func order() throws {
        for place in 0..<2 {
            var a = world.end(0, .initiator, peer: 1)
            var b = world.end(1, .responder, peer: 0)
            var index = 0
            try run(&a, &b) { fromFirst, message in
                guard fromFirst else { return [message] }
                defer { index += 1 }
                return index == place ? [message, message] : [message]
            }
            #expect(b.refusal?.kind == .unexpectedMessage)
            #expect(b.peer == nil)
        }
        for message: HandshakeMessage in [.accept, .refuse(.debug)] {
            var b = world.end(1, .responder, peer: 0)
            try b.start()
            try b.receive(message.encoded)
            #expect(b.refusal?.isByPeer == (message != .accept))
            #expect(b.peer == nil)
        }
        var a = world.end(0, .initiator, peer: 1)
        try a.start()
        try a.perform(a.handshake.handle(.evidence(Evidence(platform: .software, bytes: [])), at: 0))
        #expect(a.refusal?.kind == .noEvidence)
    }

    @Test("an acceptance without having seen this end's evidence does not count")
    func earlyAccept() throws {
        var a = world.end(0, .initiator, peer: 1)
        var b = world.end(1, .responder, peer: 0)
        try a.start()
        try b.start()
        let hello = a.takeSent()[0]
        _ = b.handshake.handle(.message(hello), at: World.time)
        try b.receive(HandshakeMessage.accept.encoded)
        #expect(b.refusal?.kind == .unexpectedMessage)
    }

    @Test("tells the peer the kind of refusal, times out, and wants something to bind to")
    func ends() throws {
        var a = world.end(0, .initiator, peer: 1)
        try a.start()
        _ = a.takeSent()
        try a.perform(a.handshake.handle(.timedOut, at: World.time))
        #expect(a.refusal?.kind == .timedOut)
        #expect(try HandshakeMessage(decoding: a.takeSent()[0]) == .refuse(.timedOut))
        #expect(a.handshake.handle(.message([1]), at: World.time) == [])
        a = world.end(0, .initiator, peer: 1)
        try a.perform(a.handshake.handle(.evidenceFailed(reason: "no device"), at: World.time))
        #expect(a.refusal?.kind == .noEvidence)
        a.handshake = AttestedHandshake(
            own: .init(
                role: .initiator, nodeKey: world.nodeKeys[0], rule: .policy(world.policy), workerMeasurement: [],
                challenge: [UInt8](repeating: 1, count: 32)), session: .init(peerKey: [], binding: [1, 2, 3]))
        try a.start()
        #expect(a.refusal?.kind == .noChannelBinding)
    }

    @Test("a later version and unknown reasons are read as such")
    func versions() throws {
        var later = HandshakeMessage.accept.encoded
        later[0] = 2
        refused(.unsupportedVersion) { try HandshakeMessage(decoding: later) }
        #expect(try HandshakeMessage(decoding: [1, 4, 250]) == .refuse(.unexpectedMessage))
        refused(.malformedMessage) {
            try HandshakeMessage(decoding: [UInt8](repeating: 1, count: AttestedHandshake.messageByteCountMax + 1))
        }
    }

    @Test("random bytes never trap and never establish anything")
    func fuzz() throws {
        var random = Random(state: 99)
        var seeds = [HandshakeMessage.accept.encoded, HandshakeMessage.refuse(.debug).encoded]
        var a = world.end(0, .initiator, peer: 1)
        var b = world.end(1, .responder, peer: 0)
        try run(&a, &b) { _, message in
            seeds.append(message)
            return [message]
        }
        for _ in 0..<3_000 {
            var b = world.end(1, .responder, peer: 0, challenge: 0x31)
            try b.start()
            for _ in 0..<3 {
                var bytes = seeds[random.below(seeds.count)]
                for _ in 0..<random.below(5) where !bytes.isEmpty {
                    bytes[random.below(bytes.count)] = UInt8(random.below(256))
                }
                if random.below(4) == 0 { bytes = Array(bytes.prefix(random.below(bytes.count + 1))) }
                if let message = try? HandshakeMessage(decoding: bytes) {
                    #expect(message.encoded == bytes || bytes[1] == 4)
                }
                try b.receive(bytes)
            }
            #expect(b.peer == nil)
        }
    }
}
