import Primitives
import Testing
import ThresholdCryptography

/// Dishonest dealers and receivers, one for each line of the list of attacks on keys and dealings.
@Suite struct DealingAttackTests {
    private let actors: Actors
    private let context: GenerationContext

    init() throws {
        actors = try Actors(Array(1...5), threshold: 3)
        context = try actors.context()
    }

    /// Commits and deals honestly but for one dealer, who commits to `dealing` and deals it.
    private func run(_ cheat: String, dealing message: GenerationMessage) throws -> (Run, KeyGeneration.Verdict) {
        var run = try Run(context, actors)
        guard case .deal(let dealing) = message.body else { throw ThresholdError.refused("no dealing") }
        let commitment = GenerationMessage(
            contextDigest: context.digest, sender: message.sender, body: .commit(dealing.digest))
        #expect(try run.say(commitment, by: cheat) == .accepted)
        run.dealers[cheat] = nil
        try run.commit()
        let verdict = try run.say(message, by: cheat)
        try run.deal()
        return (run, verdict)
    }

    private func honest(_ actor: String) throws -> GenerationMessage {
        let run = try Run(context, actors)
        return try #require(run.dealers[actor]).dealMessage
    }

    /// The generation goes on without the cheat and ends well.
    private func endsWell(_ run: Run, without cheat: Int, _ source: SourceLocation = #_sourceLocation) throws {
        var run = run
        try run.complain()
        let shares = try run.shares()
        #expect(run.generation.phase == .ready, sourceLocation: source)
        #expect(!run.generation.qualified.contains(index(cheat)), sourceLocation: source)
        #expect(shares.count == 5, sourceLocation: source)
    }

    @Test func rogueKey() throws {
        // The last dealer wants Y = target, whose logarithm it knows: A = target - Σ others.
        let others = try Run(context, actors)
        var random = SeededBytes(1)
        var rogue = random.scalar().timesGenerator
        for number in 1...4 {
            let message = try #require(others.dealers["actor-\(number)"]).dealMessage
            let constant = try #require(try Tree.item(message.encoded, at: [4, 1, 0]).bytesValue)
            rogue = rogue - (try RistrettoElement(decoding: constant))
        }
        let message = try GenerationMessage(
            decoding: Tree.replacing(
                try honest("actor-5").encoded, at: [4, 1, 0], with: .bytes(rogue.encoding.bytes)))
        let (run, verdict) = try run("actor-5", dealing: message)
        #expect(verdict == .faulty(.badProof))
        #expect(run.generation.faults.map(\.fault) == [.badProof])
        try endsWell(run, without: 5)
    }

    @Test func aDealingReplayedFromAnotherActor() throws {
        var bytes = try Tree.replacing(try honest("actor-1").encoded, at: [3], with: .unsigned(5))
        bytes = try Tree.replacing(bytes, at: [4, 0], with: .unsigned(5))
        let (run, verdict) = try run("actor-5", dealing: try GenerationMessage(decoding: bytes))
        #expect(verdict == .faulty(.badProof))
        try endsWell(run, without: 5)
    }

    @Test func aDealingReplayedFromAnotherGeneration() throws {
        for other in [try actors.context(id: 2), try actors.context(openedAt: 99)] {
            let old = try Run(other, actors)
            let message = try #require(old.dealers["actor-5"]).dealMessage
            var now = try Run(context, actors)
            #expect(try now.say(message, by: "actor-5") == .refused(.stale))
            #expect(now.generation.faults.isEmpty)
            // The same with the context's digest changed to the right one.
            let moved = GenerationMessage(contextDigest: context.digest, sender: index(5), body: message.body)
            let (run, verdict) = try run("actor-5", dealing: moved)
            #expect(verdict == .faulty(.badProof))
            try endsWell(run, without: 5)
        }
    }

    /// Copying another's ephemeral key would make honest receivers, in complaining, publish what opens its dealing.
    @Test func anEphemeralKeyCopiedFromAnotherDealer() throws {
        let victim = try honest("actor-1").encoded
        var bytes = try honest("actor-5").encoded
        for place in [3, 4] {
            bytes = try Tree.replacing(bytes, at: [4, place], with: Tree.item(victim, at: [4, place]))
        }
        let (run, verdict) = try run("actor-5", dealing: try GenerationMessage(decoding: bytes))
        #expect(verdict == .faulty(.badProof))
        // Nobody complains of a dealing that doesn't stand.
        for member in actors.roster.members {
            let message = try run.receiver(member.actor).complaints(
                about: run.generation, randomness: SecretBytes(copying: [1]))
            #expect(message.body == .complain([]))
        }
        try endsWell(run, without: 5)
    }

    @Test(arguments: [2, 4]) func wrongDegree(_ coefficientCount: Int) throws {
        var random = SeededBytes(2)
        let polynomial = SecretPolynomial(coefficients: (0..<coefficientCount).map { _ in random.scalar() })
        let dealer = Dealer(
            context: context, dealer: try #require(context.roster[index(5)]), polynomial: polynomial,
            seed: random.secret())
        let (run, verdict) = try run("actor-5", dealing: dealer.dealMessage)
        #expect(verdict == .faulty(.wrongDegree))
        try endsWell(run, without: 5)
    }

    @Test func sharesForTooFewOrTooMany() throws {
        let bytes = try honest("actor-5").encoded
        let shares = try #require(try Tree.item(bytes, at: [4, 5]).arrayValue)
        for list in [Array(shares.dropLast()), shares + [shares[0]]] {
            let message = try GenerationMessage(decoding: Tree.replacing(bytes, at: [4, 5], with: .array(list)))
            let (run, verdict) = try run("actor-5", dealing: message)
            #expect(verdict == .faulty(.wrongReceivers))
            try endsWell(run, without: 5)
        }
    }

    @Test func equivocationBetweenRounds() throws {
        var run = try Run(context, actors)
        try run.commit()
        var random = SeededBytes(3)
        let other = try Dealer(context: context, actor: "actor-5", seed: random.secret())
        #expect(try run.say(other.dealMessage, by: "actor-5") == .faulty(.equivocation))
        // The dealing that was committed to comes too late.
        let first = try #require(run.dealers["actor-5"])
        #expect(try run.say(first.dealMessage, by: "actor-5") == .refused(.duplicate))
        run.dealers["actor-5"] = nil
        try run.deal()
        #expect(run.generation.faults.map(\.fault) == [.equivocation])
        try endsWell(run, without: 5)
        // A dealing whose own dealer is another than its sender.
        let message = GenerationMessage(
            contextDigest: context.digest, sender: index(4), body: first.dealMessage.body)
        let (_, verdict) = try self.run("actor-4", dealing: message)
        #expect(verdict == .faulty(.equivocation))
    }

    @Test func onlyTheFirstCommitmentCounts() throws {
        var run = try Run(context, actors)
        let dealer = try #require(run.dealers["actor-5"])
        var random = SeededBytes(3)
        let other = try Dealer(context: context, actor: "actor-5", seed: random.secret())
        #expect(try run.say(dealer.commitMessage, by: "actor-5") == .accepted)
        #expect(try run.say(other.commitMessage, by: "actor-5") == .refused(.duplicate))
    }

    @Test func onlyTheRosterSpeaksAndEachForItself() throws {
        var run = try Run(context, actors)
        let dealer = try #require(run.dealers["actor-5"])
        #expect(try run.say(dealer.commitMessage, by: "actor-4") == .refused(.notEntitled))
        #expect(try run.say(dealer.commitMessage, by: "stranger") == .refused(.notEntitled))
        let foreign = GenerationMessage(contextDigest: context.digest, sender: index(9), body: .commit(.zero))
        #expect(try run.say(foreign, by: "actor-5") == .refused(.notEntitled))
        #expect(throws: ThresholdError.refused("")) {
            try Dealer(
                context: context, actor: "stranger", seed: SecretBytes(copying: [UInt8](repeating: 1, count: 32)))
        }
        // Who did not commit can't deal.
        run.dealers["actor-5"] = nil
        try run.commit()
        #expect(try run.say(dealer.dealMessage, by: "actor-5") == .refused(.notEntitled))
    }

    @Test(arguments: [true, false]) func oneBadShare(_ opens: Bool) throws {
        var random = SeededBytes(4)
        let polynomial = SecretPolynomial(coefficients: (0..<3).map { _ in random.scalar() })
        let dealer = Dealer(
            context: context, dealer: try #require(context.roster[index(2)]), polynomial: polynomial,
            seed: random.secret(), cheating: [index(4): random.scalar()])
        var message = dealer.dealMessage
        if !opens {
            // Not only another value: bytes that are no encryption at all.
            message = try GenerationMessage(
                decoding: Tree.replacing(
                    message.encoded, at: [4, 5, 3], with: .bytes([UInt8](repeating: 7, count: 48))))
        }
        var (run, verdict) = try run("actor-2", dealing: message)
        #expect(verdict == .accepted)
        let verdicts = try run.complain()
        #expect(verdicts["actor-4"] == .ruled([KeyGeneration.Ruling(dealer: index(2), outcome: .upheld)]))
        #expect(verdicts["actor-1"] == .accepted)
        #expect(run.generation.faults.map(\.fault) == [.badShare])
        #expect(run.generation.faults.map(\.actor) == [index(2)])
        #expect(run.generation.qualified.map(\.value) == [1, 3, 4, 5])
        #expect(try run.shares().count == 5)
    }

    @Test func falseComplaint() throws {
        var run = try Run(context, actors)
        try run.commit()
        try run.deal()
        let dealings = run.generation.standing
        let receiver = try run.receiver("actor-3")
        let complaints = [0, 3].map { receiver.complaint(dealings[$0], randomness: SecretBytes(copying: [1])) }
        let message = GenerationMessage(contextDigest: context.digest, sender: index(3), body: .complain(complaints))
        // The second is not even looked at.
        #expect(
            try run.say(message, by: "actor-3") == .ruled([KeyGeneration.Ruling(dealer: index(1), outcome: .rejected)]))
        #expect(run.generation.qualified.count == 5)
        #expect(run.generation.faults.map(\.fault) == [.falseComplaint])
        #expect(run.generation.faults.map(\.actor) == [index(3)])
        #expect(try run.say(message, by: "actor-3") == .refused(.duplicate))
    }

    @Test func complaintWithAForgedValue() throws {
        var random = SeededBytes(5)
        var run = try Run(context, actors)
        try run.commit()
        try run.deal()
        let dealing = run.generation.standing[0]
        let honest = try run.receiver("actor-3").complaint(dealing, randomness: random.secret())
        let message = GenerationMessage(contextDigest: context.digest, sender: index(3), body: .complain([honest]))
        // Another value, another's value and proof, a proof with one bit changed.
        let value = try Tree.replacing(
            message.encoded, at: [4, 0, 1], with: .bytes(random.scalar().timesGenerator.encoding.bytes))
        let others = try run.receiver("actor-4").complaint(dealing, randomness: random.secret())
        let stolen = GenerationMessage(contextDigest: context.digest, sender: index(3), body: .complain([others]))
        var proof = try #require(try Tree.item(message.encoded, at: [4, 0, 2]).bytesValue)
        proof[40] ^= 1
        let bit = try Tree.replacing(message.encoded, at: [4, 0, 2], with: .bytes(proof))
        for forged in [value, stolen.encoded, bit] {
            var run = run
            #expect(
                try run.say(try GenerationMessage(decoding: forged), by: "actor-3")
                    == .ruled([KeyGeneration.Ruling(dealer: index(1), outcome: .rejected)]))
            #expect(run.generation.faults.map(\.fault) == [.badProof])
            #expect(run.generation.qualified.count == 5)
        }
    }

    @Test func complaintOfWhatDoesNotStand() throws {
        var run = try Run(context, actors)
        let dealing = try #require(run.dealers["actor-5"]).dealing
        run.dealers["actor-5"] = nil
        try run.commit()
        try run.deal()
        let complaint = try run.receiver("actor-3").complaint(dealing, randomness: SecretBytes(copying: [1]))
        let message = GenerationMessage(contextDigest: context.digest, sender: index(3), body: .complain([complaint]))
        #expect(
            try run.say(message, by: "actor-3") == .ruled([KeyGeneration.Ruling(dealer: index(5), outcome: .moot)]))
        #expect(run.generation.faults.isEmpty)
    }

    @Test func complaintsAreInOrderAndOneEach() throws {
        var run = try Run(context, actors)
        try run.commit()
        try run.deal()
        let dealings = run.generation.standing
        let receiver = try run.receiver("actor-3")
        for places in [[1, 0], [2, 2]] {
            let complaints = places.map { receiver.complaint(dealings[$0], randomness: SecretBytes(copying: [1])) }
            let message = GenerationMessage(
                contextDigest: context.digest, sender: index(3), body: .complain(complaints))
            #expect(throws: ThresholdError.malformed("")) { try GenerationMessage(decoding: message.encoded) }
        }
    }

    @Test func dealersThatGiveUp() throws {
        // Two of five are silent from the start, which leaves the three that are needed.
        var run = try Run(context, actors)
        run.dealers["actor-1"] = nil
        run.dealers["actor-4"] = nil
        let shares = try run.finish()
        #expect(run.generation.isFinal)
        #expect(run.generation.qualified.map(\.value) == [2, 3, 5])
        #expect(shares.count == 5)
        #expect(run.generation.faults.isEmpty)
        // A third commits and does not deal.
        run = try Run(context, actors)
        run.dealers["actor-1"] = nil
        run.dealers["actor-4"] = nil
        try run.commit()
        run.dealers["actor-5"] = nil
        try run.deal()
        #expect(run.generation.phase == .failed(.tooFewDealers))
        #expect(run.generation.faults.map(\.fault) == [.withheldDealing])
        #expect(run.generation.keys == nil)
        // Or all three from the start.
        run = try Run(context, actors)
        for number in [1, 4, 5] { run.dealers["actor-\(number)"] = nil }
        try run.commit()
        #expect(run.generation.phase == .failed(.tooFewDealers))
        // Nothing more is taken.
        let dealer = try #require(run.dealers["actor-2"])
        #expect(try run.say(dealer.dealMessage, by: "actor-2") == .refused(.wrongPhase))
    }

    @Test func tooManyCheatsMakeItFail() throws {
        var random = SeededBytes(8)
        var run = try Run(context, actors)
        for number in 1...3 {
            let polynomial = SecretPolynomial(coefficients: (0..<3).map { _ in random.scalar() })
            run.dealers["actor-\(number)"] = Dealer(
                context: context, dealer: try #require(context.roster[index(number)]), polynomial: polynomial,
                seed: random.secret(), cheating: [index(5): random.scalar()])
        }
        try run.commit()
        try run.deal()
        let verdicts = try run.complain()
        #expect(
            verdicts["actor-5"]
                == .ruled((1...3).map { KeyGeneration.Ruling(dealer: index($0), outcome: .upheld) }))
        #expect(run.generation.phase == .failed(.tooFewDealers))
    }
}
