import Primitives
import Testing
import ThresholdCryptography

/// The honest course of key generations, and the rules of rounds and rosters.
@Suite struct KeyGenerationTests {
    @Test func everyThresholdOfUpToSeven() throws {
        for count in 1...7 {
            for threshold in 1...count {
                let (actors, keys, shares) = try sharedKey(count, threshold: threshold, seed: UInt64(count))
                #expect(keys.roster == actors.roster)
                #expect(shares.count == count)
                // The share keys are those of the shares, and all lie on one polynomial through Y.
                for share in shares { #expect(share.secret.timesGenerator == keys.shareKey(at: share.index)) }
                #expect(try PublicKeySet(decoding: keys.encoded) == keys)
            }
        }
    }

    @Test func theUsualThresholdIsAMajority() throws {
        for (count, threshold) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (50, 26)] {
            #expect(try Actors(Array(1...count)).roster.threshold == threshold)
        }
    }

    @Test func indexesNeedNotBeInARow() throws {
        let actors = try Actors([65535, 3, 900], threshold: 2)
        var run = try Run(try actors.context(), actors)
        let shares = try run.finish()
        #expect(run.generation.isFinal)
        #expect(shares.map(\.index.value) == [3, 900, 65535])
    }

    @Test func everyoneComesToTheSame() throws {
        let actors = try Actors(Array(1...4), threshold: 2)
        var run = try Run(try actors.context(), actors)
        var log: [(GenerationMessage, String, UInt64)] = []
        var position: UInt64 = 100
        func record(_ message: GenerationMessage, _ actor: String) throws {
            position += 1
            log.append((message, actor, position))
            _ = run.generation.apply(message, from: actor, at: position)
        }
        for (actor, dealer) in run.dealers.sorted(by: { $0.key > $1.key }) { try record(dealer.commitMessage, actor) }
        for (actor, dealer) in run.dealers.sorted(by: { $0.key > $1.key }) { try record(dealer.dealMessage, actor) }
        for member in actors.roster.members {
            try record(
                try run.receiver(member.actor).complaints(about: run.generation, randomness: run.random.secret()),
                member.actor)
        }
        #expect(run.generation.phase == .ready)
        for _ in 0..<3 {
            var other = KeyGeneration(run.context)
            for (message, actor, position) in log {
                _ = other.apply(try GenerationMessage(decoding: message.encoded), from: actor, at: position)
            }
            #expect(other == run.generation)
            #expect(other.keys?.digest == run.generation.keys?.digest)
        }
    }

    @Test func theSameSeedDealsTheSameAndAnotherContextAnother() throws {
        let actors = try Actors([1, 2, 3])
        let context = try actors.context()
        let first = try Run(context, actors)
        let again = try Run(context, actors)
        // The id used again at a later place in the ledger, as after a restart of the generation.
        let later = try Run(try actors.context(openedAt: 5000), actors)
        for actor in actors.keys.keys {
            let dealing = try #require(first.dealers[actor]).dealMessage
            #expect(dealing.encoded == again.dealers[actor]?.dealMessage.encoded)
            let commitments = try Tree.item(dealing.encoded, at: [4, 1])
            let other = try #require(later.dealers[actor]).dealMessage.encoded
            #expect(try Tree.item(other, at: [4, 1]) != commitments)
            #expect(try Tree.item(other, at: [4, 3]) != Tree.item(dealing.encoded, at: [4, 3]))
        }
    }

    @Test func roundsEndAtTheirPositions() throws {
        let actors = try Actors([1, 2, 3], threshold: 2)
        var run = try Run(try actors.context(), actors)
        run.dealers["actor-3"] = nil
        let dealer = try #require(run.dealers["actor-1"])
        #expect(try run.say(dealer.dealMessage, by: "actor-1") == .refused(.wrongPhase))
        try run.commit()
        #expect(run.generation.phase == .deal)
        #expect(try run.say(dealer.commitMessage, by: "actor-1") == .refused(.wrongPhase))
        try run.deal()
        #expect(run.generation.phase == .complain)
        run.skip(to: run.context.schedule.complainUntil)
        #expect(run.generation.phase == .complain)
        run.skip(to: run.context.schedule.complainUntil + 1)
        #expect(run.generation.phase == .ready)
        #expect(!run.generation.isFinal)
        // An earlier position can't come after a later one.
        #expect(
            run.generation.apply(dealer.commitMessage, from: "actor-1", at: run.context.openedAt)
                == .refused(.outOfOrder))
    }

    @Test func notFinalBeforeMActorsProvedPossession() throws {
        let actors = try Actors([1, 2, 3], threshold: 2)
        var run = try Run(try actors.context(), actors)
        try run.commit()
        try run.deal()
        try run.complain()
        let shares = try run.shares()
        let digest = try #require(Bytes32([UInt8](repeating: 9, count: 32)))
        let ready = try run.receiver("actor-2").readiness(
            of: shares[1], fileDigest: digest, randomness: run.random.secret())
        #expect(try run.say(ready, by: "actor-2") == .accepted)
        #expect(!run.generation.isFinal)
        #expect(try run.say(ready, by: "actor-2") == .refused(.duplicate))
        // One actor's proof is not another's, nor for another share file.
        let stolen = GenerationMessage(contextDigest: ready.contextDigest, sender: index(3), body: ready.body)
        #expect(try run.say(stolen, by: "actor-3") == .faulty(.badProof))
        #expect(try run.say(stolen, by: "actor-2") == .refused(.notEntitled))
        var late = run
        late.skip(to: run.context.schedule.readyUntil + 1)
        #expect(late.generation.phase == .failed(.tooFewReady))
        let other = try run.receiver("actor-1").readiness(
            of: shares[0], fileDigest: digest, randomness: run.random.secret())
        let moved = try Tree.replacing(other.encoded, at: [5], with: .bytes([UInt8](repeating: 8, count: 32)))
        #expect(try run.say(try GenerationMessage(decoding: moved), by: "actor-1") == .faulty(.badProof))
        #expect(try run.say(other, by: "actor-1") == .accepted)
        #expect(run.generation.isFinal)
        #expect(run.generation.ready.map(\.index.value) == [1, 2])
        run.skip(to: run.context.schedule.readyUntil + 1)
        #expect(run.generation.isFinal)
    }

    @Test func rostersAreChecked() throws {
        let actors = try Actors([1, 2, 3])
        let members = actors.roster.members
        let refused = ThresholdError.malformed("")
        #expect(throws: refused) { try Roster(members: []) }
        #expect(throws: refused) { try Roster(members: members, threshold: 0) }
        #expect(throws: refused) { try Roster(members: members, threshold: 4) }
        #expect(throws: refused) { try Roster(members: members + [members[0]]) }
        // An index, a name or a key twice, the others being different.
        var random = SeededBytes(1)
        let key = try ReceivingKey(seed: random.secret())
        func member(_ number: Int, _ name: String, _ key: ReceivingKey) throws -> RosterMember {
            let registration = key.registration(
                networkID: "network", actor: name, index: index(number), randomness: SecretBytes(copying: [1]))
            return try RosterMember(
                index: index(number), actor: name, networkID: "network", registration: registration)
        }
        #expect(throws: refused) { try Roster(members: members + [try member(1, "new", key)]) }
        #expect(throws: refused) { try Roster(members: members + [try member(4, "actor-1", key)]) }
        let twice = try #require(actors.keys["actor-1"])
        #expect(throws: refused) { try Roster(members: members + [try member(4, "new", twice)]) }
        #expect(throws: refused) { try Roster(members: (1...256).map { try member($0, "n\($0)", key) }) }
        // A registration is one actor's, on one network, at one index.
        let registration = key.registration(
            networkID: "network", actor: "new", index: index(4), randomness: random.secret())
        let decoded = try ReceivingKeyRegistration(decoding: registration.encoded)
        #expect(decoded == registration)
        for (number, name, network) in [(5, "new", "network"), (4, "old", "network"), (4, "new", "other")] {
            #expect(throws: ThresholdError.badProof("")) {
                try RosterMember(index: index(number), actor: name, networkID: network, registration: registration)
            }
        }
        #expect(throws: refused) {
            try RosterMember(index: index(4), actor: "ünsafe", networkID: "network", registration: registration)
        }
    }

    @Test func contextsAreChecked() throws {
        let actors = try Actors(Array(1...5), threshold: 3)
        let refused = ThresholdError.malformed("")
        #expect(try actors.context().dealerCountMin == 3)
        #expect(try Actors(Array(1...5), threshold: 2).context().dealerCountMin == 4)
        #expect(throws: refused) { try actors.context(dealerCountMin: 2) }
        #expect(throws: refused) { try actors.context(dealerCountMin: 6) }
        #expect(throws: refused) {
            try GenerationContext(
                networkID: "network", id: 1, openedAt: 5, purpose: .fresh, roster: actors.roster,
                schedule: .init(commitUntil: 6, dealUntil: 6, complainUntil: 7, readyUntil: 8))
        }
        #expect(throws: refused) {
            try GenerationContext(
                networkID: "", id: 1, openedAt: 5, purpose: .fresh, roster: actors.roster,
                schedule: .init(commitUntil: 6, dealUntil: 7, complainUntil: 8, readyUntil: 9))
        }
        // Each part is in the digest.
        let digest = try actors.context().digest
        #expect(try actors.context(id: 2).digest != digest)
        #expect(try actors.context(openedAt: 101).digest != digest)
        #expect(try actors.context(dealerCountMin: 4).digest != digest)
        #expect(try Actors(Array(1...5), threshold: 4).context().digest != digest)
        #expect(try Actors(Array(1...5), threshold: 3, networkID: "other").context().digest != digest)
        #expect(try Actors(Array(1...5), threshold: 3, seed: 2).context().digest != digest)
    }
}
