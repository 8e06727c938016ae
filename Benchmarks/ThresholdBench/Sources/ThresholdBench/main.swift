import Glibc
import Primitives
import ThresholdCryptography

/// What threshold keys cost: processor time of key generations of 3, 10 and 50 actors with a majority as threshold, all
/// actors in this one process, and of the operations on one encrypted key. Best of a few runs, in milliseconds.
///
///     swift run -c release --package-path Benchmarks/ThresholdBench

/// Processor time of this process, in milliseconds.
func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
}

/// The least time of `count` runs and the last result.
func best<T>(_ count: Int, _ body: () throws -> T) rethrows -> (milliseconds: Double, value: T) {
    var start = processorTime()
    var value = try body()
    var least = processorTime() - start
    for _ in 1..<count {
        start = processorTime()
        value = try body()
        least = min(least, processorTime() - start)
    }
    return (least, value)
}

func secret() throws -> SecretBytes {
    var random = SystemRandomNumberGenerator()
    var bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
    return try SecretBytes(taking: &bytes)
}

func line(_ name: String, _ milliseconds: Double) {
    let rounded = (milliseconds * 1000).rounded() / 1000
    print("  \(name)\(String(repeating: " ", count: max(1, 52 - name.count)))\(rounded)")
}

/// A generation of `count` actors that stop at nothing but its end.
struct Generation {
    var keys: [ReceivingKey] = []
    let context: GenerationContext
    var state: KeyGeneration
    var position: UInt64 = 1

    init(_ count: Int) throws {
        var members: [RosterMember] = []
        for number in 1...count {
            let key = try ReceivingKey(seed: secret())
            guard let index = ShareIndex(UInt16(number)) else { continue }
            let registration = key.registration(
                networkID: "bench", actor: "actor-\(number)", index: index, randomness: try secret())
            members.append(
                try RosterMember(
                    index: index, actor: "actor-\(number)", networkID: "bench", registration: registration))
            keys.append(key)
        }
        context = try GenerationContext(
            networkID: "bench", id: 1, openedAt: 1, purpose: .fresh, roster: Roster(members: members),
            schedule: .init(commitUntil: 1000, dealUntil: 2000, complainUntil: 3000, readyUntil: 4000))
        state = KeyGeneration(context)
    }

    mutating func say(_ message: [UInt8], _ actor: String) throws {
        position += 1
        let verdict = state.apply(try GenerationMessage(decoding: message), from: actor, at: position)
        precondition(verdict == .accepted, "\(verdict)")
    }
}

for count in [3, 10, 50] {
    var run = try Generation(count)
    let members = run.context.roster.members
    print("\(count) actors, threshold \(run.context.roster.threshold)")
    let start = processorTime()
    let dealers = try members.map { try Dealer(context: run.context, actor: $0.actor, seed: secret()) }
    let dealt = processorTime()
    line("an actor deals", (dealt - start) / Double(count))
    for (member, dealer) in zip(members, dealers) { try run.say(dealer.commitMessage.encoded, member.actor) }
    let deals = dealers.map { $0.dealMessage.encoded }
    let beforeApply = processorTime()
    for (member, deal) in zip(members, deals) { try run.say(deal, member.actor) }
    let applied = processorTime()
    line("a node checks all dealings", applied - beforeApply)
    print("  bytes of a dealing on the ledger: \(deals[0].count)")
    let receivers = try zip(members, run.keys).map {
        try ShareReceiver(context: run.context, actor: $0.actor, key: $1)
    }
    let beforeComplaints = processorTime()
    let complaints = try receivers.map { try $0.complaints(about: run.state, randomness: secret()).encoded }
    let complained = processorTime()
    line("an actor opens and checks its shares", (complained - beforeComplaints) / Double(count))
    let beforeKeys = processorTime()
    for (member, complaint) in zip(members, complaints) { try run.say(complaint, member.actor) }
    let finished = processorTime()
    line("a node computes the keys", finished - beforeKeys)
    let beforeShares = processorTime()
    let shares = try receivers.map { try $0.share(from: run.state) }
    let shared = processorTime()
    line("an actor computes its share", (shared - beforeShares) / Double(count))
    let ready = try zip(receivers, shares).map {
        try $0.readiness(of: $1, fileDigest: .zero, randomness: secret()).encoded
    }
    let beforeReady = processorTime()
    for (member, message) in zip(members, ready) { try run.say(message, member.actor) }
    let readied = processorTime()
    line("a node checks all proofs of possession", readied - beforeReady)
    let each =
        (dealt - start + complained - beforeComplaints + shared - beforeShares) / Double(count)
        + (applied - beforeApply) + (finished - beforeKeys) + (readied - beforeReady)
    line("all that one actor's node does", each)

    guard let keys = run.state.keys, run.state.isFinal else { fatalError("the key generation did not end well") }
    let label = try Label(
        networkID: "bench", epoch: 1, keyID: 1, sharedKeyID: keys.keyID, constitutionDigest: .zero,
        purpose: "session key")
    let message = try secret()
    let randomness = try secret()
    let encrypted = try best(20) {
        try Ciphertext(encrypting: message, label: label, to: keys, randomness: randomness)
    }
    line("encrypt", encrypted.milliseconds)
    let checked = try best(20) { try encrypted.value.checked(for: keys) }
    line("check", checked.milliseconds)
    // A P-256 key pair: private key 1, whose public key is the curve's generator.
    var one = [UInt8](repeating: 0, count: 31) + [1]
    let privateKey = try SecretBytes(taking: &one)
    let generator =
        Hex.decode(
            "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                + "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5") ?? []
    let request = CommittedRequest(
        try DecryptionRequest(
            networkID: "bench", keysDigest: keys.digest, ciphertextDigest: checked.value.digest, requester: "node",
            recipientKey: generator, reason: "bench"), view: 1, seqno: 1)
    let sealed = try best(20) {
        try shares[0].release(checked.value, for: request, expecting: label, randomness: randomness)
    }
    line("make a share and seal it (HPKE)", sealed.milliseconds)
    let opened = try best(20) { try sealed.value.open(with: privateKey, for: request) }
    line("open a sealed share (HPKE)", opened.milliseconds)
    let verified = try best(20) { try opened.value.verified(for: checked.value, keys: keys) }
    line("verify a share", verified.milliseconds)
    let parts = try shares.prefix(keys.roster.threshold).map {
        try $0.release(checked.value, for: request, expecting: label, randomness: randomness)
            .open(with: privateKey, for: request).verified(for: checked.value, keys: keys)
    }
    let combined = try best(20) { try checked.value.open(with: parts, keys: keys) }
    line("combine \(parts.count) shares", combined.milliseconds)
    precondition(combined.value.isEqual(to: message), "another message came out")

    let plain = try Label(
        networkID: "bench", epoch: 1, keyID: 1, sharedKeyID: 0, constitutionDigest: .zero, purpose: "session key")
    let sharing = try best(3) {
        try PublicSharing(sharing: message, label: plain, to: run.context.roster, randomness: randomness)
    }
    line("share in public (fallback)", sharing.milliseconds)
    let checkedSharing = try best(3) {
        try sharing.value.checked(networkID: "bench", roster: run.context.roster)
    }
    line("check what was shared in public", checkedSharing.milliseconds)
    print("  bytes: ciphertext \(encrypted.value.encoded.count), public sharing \(sharing.value.encoded.count)")
}
