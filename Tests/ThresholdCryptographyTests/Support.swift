import Primitives
import ThresholdCryptography

/// Bytes that look random and are the same in each run (SplitMix64).
struct SeededBytes {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

    mutating func secret(_ count: Int = 32) -> SecretBytes {
        SecretBytes(copying: bytes(count))
    }

    mutating func scalar() -> SecretScalar {
        var bytes = bytes(32)
        bytes[31] &= 0x0F
        return SecretScalar(bytes: bytes)
    }
}

extension SecretBytes {
    convenience init(copying bytes: [UInt8]) {
        var bytes = bytes
        // Tests make no empty secrets.
        // swift-format-ignore: NeverUseForceTry
        try! self.init(taking: &bytes)
    }

    var array: [UInt8] { withUnsafeBytes { Array($0) } }
}

extension SecretScalar {
    init(bytes: [UInt8]) {
        // swift-format-ignore: NeverUseForceTry
        try! self.init(decoding: SecretBytes(copying: bytes))
    }
}

func hex(_ text: String) -> [UInt8] { Hex.decode(text) ?? [] }

func index(_ value: Int) -> ShareIndex { ShareIndex(UInt16(value))! }

/// A number of actors, with their keys.
struct Actors {
    let networkID: String
    let roster: Roster
    let keys: [String: ReceivingKey]

    /// Actors at the indexes given, called `actor-INDEX`; an actor's key follows from its index and the seed.
    init(_ indexes: [Int], threshold: Int? = nil, networkID: String = "network", seed: UInt64 = 1) throws {
        var keys: [String: ReceivingKey] = [:]
        var members: [RosterMember] = []
        for number in indexes {
            var random = SeededBytes(seed &* 1000 &+ UInt64(number))
            let name = "actor-\(number)"
            let key = try ReceivingKey(seed: random.secret())
            let registration = key.registration(
                networkID: networkID, actor: name, index: index(number), randomness: random.secret())
            members.append(
                try RosterMember(index: index(number), actor: name, networkID: networkID, registration: registration))
            keys[name] = key
        }
        self.networkID = networkID
        self.keys = keys
        roster = try Roster(members: members, threshold: threshold)
    }

    func context(
        id: UInt64 = 1, openedAt: UInt64 = 100, purpose: GenerationContext.Purpose = .fresh, dealerCountMin: Int? = nil
    ) throws -> GenerationContext {
        try GenerationContext(
            networkID: networkID, id: id, openedAt: openedAt, purpose: purpose, roster: roster,
            dealerCountMin: dealerCountMin,
            schedule: GenerationContext.Schedule(
                commitUntil: openedAt + 100, dealUntil: openedAt + 200, complainUntil: openedAt + 300,
                readyUntil: openedAt + 400))
    }
}

/// One run of a key generation. Tests change what single actors say.
struct Run {
    let context: GenerationContext
    let actors: Actors
    var generation: KeyGeneration
    var dealers: [String: Dealer] = [:]
    var random: SeededBytes
    private(set) var position: UInt64

    init(_ context: GenerationContext, _ actors: Actors, oldShares: [KeyShare] = [], seed: UInt64 = 7) throws {
        self.context = context
        self.actors = actors
        generation = KeyGeneration(context)
        random = SeededBytes(seed)
        position = context.openedAt
        for member in context.dealers.members {
            let seed = random.secret()
            var share: KeyShare?
            if case .reshare = context.purpose { share = oldShares.first { $0.index == member.index } }
            if case .reshare = context.purpose, share == nil { continue }
            dealers[member.actor] = try Dealer(context: context, actor: member.actor, seed: seed, oldShare: share)
        }
    }

    mutating func say(_ message: GenerationMessage, by actor: String) throws -> KeyGeneration.Verdict {
        position += 1
        // All messages go over the wire.
        return generation.apply(try GenerationMessage(decoding: message.encoded), from: actor, at: position)
    }

    mutating func skip(to position: UInt64) {
        self.position = position
        generation.advance(to: position)
    }

    private var speakers: [(actor: String, dealer: Dealer)] {
        context.dealers.members.compactMap { member in dealers[member.actor].map { (member.actor, $0) } }
    }

    /// All dealers that are there commit, and the round ends.
    @discardableResult
    mutating func commit() throws -> [String: KeyGeneration.Verdict] {
        var verdicts: [String: KeyGeneration.Verdict] = [:]
        for (actor, dealer) in speakers { verdicts[actor] = try say(dealer.commitMessage, by: actor) }
        if generation.phase == .commit { skip(to: context.schedule.commitUntil + 1) }
        return verdicts
    }

    @discardableResult
    mutating func deal() throws -> [String: KeyGeneration.Verdict] {
        var verdicts: [String: KeyGeneration.Verdict] = [:]
        for (actor, dealer) in speakers { verdicts[actor] = try say(dealer.dealMessage, by: actor) }
        if generation.phase == .deal { skip(to: context.schedule.dealUntil + 1) }
        return verdicts
    }

    func receiver(_ actor: String) throws -> ShareReceiver {
        guard let key = actors.keys[actor] else { throw ThresholdError.refused("no such actor in this test") }
        return try ShareReceiver(context: context, actor: actor, key: key)
    }

    @discardableResult
    mutating func complain() throws -> [String: KeyGeneration.Verdict] {
        var verdicts: [String: KeyGeneration.Verdict] = [:]
        for member in context.roster.members {
            let message = try receiver(member.actor).complaints(about: generation, randomness: random.secret())
            verdicts[member.actor] = try say(message, by: member.actor)
        }
        return verdicts
    }

    /// Shares of all actors, by index.
    func shares(old: [KeyShare] = []) throws -> [KeyShare] {
        try context.roster.members.map { member in
            try receiver(member.actor).share(from: generation, oldShare: old.first { $0.index == member.index })
        }
    }

    /// The honest course of all rounds.
    mutating func finish(old: [KeyShare] = []) throws -> [KeyShare] {
        try commit()
        try deal()
        try complain()
        let shares = try shares(old: old)
        for share in shares {
            guard let actor = context.roster[share.index]?.actor else { continue }
            let message = try receiver(actor).readiness(of: share, fileDigest: .zero, randomness: random.secret())
            _ = try say(message, by: actor)
        }
        return shares
    }
}

/// A key that N actors share, made in the honest way.
func sharedKey(
    _ count: Int, threshold: Int? = nil, id: UInt64 = 1, networkID: String = "network", seed: UInt64 = 1
) throws -> (actors: Actors, keys: PublicKeySet, shares: [KeyShare]) {
    let actors = try Actors(Array(1...count), threshold: threshold, networkID: networkID, seed: seed)
    var run = try Run(try actors.context(id: id), actors, seed: seed &+ 6)
    let shares = try run.finish()
    guard run.generation.isFinal, let keys = run.generation.keys else {
        throw ThresholdError.refused("the key generation of a test did not end well")
    }
    return (actors, keys, shares)
}

func label(_ keys: PublicKeySet, epoch: UInt64 = 1) throws -> Label {
    try Label(
        networkID: keys.networkID, epoch: epoch, keyID: epoch, sharedKeyID: keys.keyID, constitutionDigest: .zero,
        purpose: "session key")
}

/// Ways into an encoded message, so that tests can change one field of it.
enum Tree {
    static func replacing(_ item: CBOR, at path: ArraySlice<Int>, with new: CBOR) -> CBOR {
        guard let first = path.first else { return new }
        switch item {
        case .array(var items) where items.indices.contains(first):
            items[first] = replacing(items[first], at: path.dropFirst(), with: new)
            return .array(items)
        case .bytes(let inner):
            // A message within a message.
            guard let decoded = try? CBOR.decode(inner) else { return item }
            return .bytes(replacing(decoded, at: path, with: new).encoded())
        default: return item
        }
    }

    static func replacing(_ bytes: [UInt8], at path: [Int], with new: CBOR) throws -> [UInt8] {
        replacing(try CBOR.decode(bytes), at: path[...], with: new).encoded()
    }

    static func item(_ bytes: [UInt8], at path: [Int]) throws -> CBOR {
        var item = try CBOR.decode(bytes)
        for place in path {
            if let inner = item.bytesValue { item = try CBOR.decode(inner) }
            guard let items = item.arrayValue, items.indices.contains(place) else {
                throw ThresholdError.malformed("a test's path leads nowhere")
            }
            item = items[place]
        }
        return item
    }
}
