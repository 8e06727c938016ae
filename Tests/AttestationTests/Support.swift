import Attestation
import Identity
import Primitives
import Testing

/// A key that depends on nothing but a number.
func key(_ number: UInt8) throws -> SigningKey {
    try SigningKey(rawRepresentation: [UInt8](repeating: number, count: 31) + [1])
}

/// Numbers from a seed (SplitMix64), so that a failure can be repeated.
struct Random {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// A network of two nodes, of two owners with a software platform each.
struct World {
    static let network = String(repeating: "ab", count: 32)
    static let time: UInt64 = 1_800_000_000_000

    let nodeKeys: [SigningKey]
    let platformKeys: [SigningKey]
    let owners = ["bank-a", "bank-b", "bank-c"]
    let manager = [UInt8](repeating: 0x11, count: 32)
    let worker = [UInt8](repeating: 0x22, count: 32)
    var policy: AdmissionPolicy
    let binding = [UInt8](repeating: 0x77, count: 32)

    init() throws {
        nodeKeys = try (1...3).map { try key($0) }
        platformKeys = try (101...103).map { try key($0) }
        policy = AdmissionPolicy(
            networkID: Self.network,
            nodes: zip(nodeKeys, owners).map {
                .init(nodeID: $0.publicKey.id, owner: $1, publicKey: $0.publicKey.spki)
            },
            code: CodeManifest(entries: [
                .init(name: "manager", version: "1", role: .manager, platform: .software, measurement: manager),
                .init(name: "worker", version: "1", role: .worker, platform: .software, measurement: worker),
            ]),
            tee: TEEManifest(
                rules: [.init(platform: .software)],
                softwareKeys: try zip(platformKeys, owners).map {
                    .init(owner: $1, key: try PlatformKey.x963($0.publicKey))
                }))
    }

    func end(
        _ index: Int, _ role: AttestedHandshake.Role, peer: Int, challenge: UInt8? = nil, rule: PeerRule? = nil
    ) -> End {
        let own = AttestedHandshake.Own(
            role: role, nodeKey: nodeKeys[index], rule: rule ?? .policy(policy), workerMeasurement: worker,
            challenge: [UInt8](repeating: challenge ?? UInt8(index + 0x40), count: 32))
        let session = AttestedHandshake.Session(peerKey: nodeKeys[peer].publicKey.spki, binding: binding)
        return End(
            handshake: AttestedHandshake(own: own, session: session), platformKey: platformKeys[index],
            measurement: manager)
    }
}

/// One end with its platform: answers what the handshake asks of it.
struct End {
    var handshake: AttestedHandshake
    var platformKey: SigningKey
    var measurement: [UInt8]
    var sent: [[UInt8]] = []
    var peer: HandshakePeer?
    var refusal: HandshakeRefusal?

    mutating func start() throws { try perform(handshake.start()) }

    mutating func receive(_ message: [UInt8]) throws {
        try perform(handshake.handle(.message(message), at: World.time))
    }

    mutating func perform(_ effects: [AttestedHandshake.Effect]) throws {
        for effect in effects {
            switch effect {
            case .send(let bytes): sent.append(bytes)
            case .obtainEvidence(let data):
                let evidence = try SoftwareEvidence.sign(
                    measurement: measurement, reportData: data, platformKey: platformKey)
                try perform(handshake.handle(.evidence(evidence.evidence), at: World.time))
            case .established(let established): peer = established
            case .refused(let refused): refusal = refused
            }
        }
    }

    mutating func takeSent() -> [[UInt8]] {
        defer { sent = [] }
        return sent
    }
}

/// Runs two ends until both are silent. `tamper` may change, drop (nil) or multiply what travels.
func run(
    _ a: inout End, _ b: inout End, start: Bool = true,
    tamper: (_ fromFirst: Bool, _ message: [UInt8]) -> [[UInt8]] = { [$1] }
) throws {
    if start {
        try a.start()
        try b.start()
    }
    for _ in 0..<20 {
        let fromA = a.takeSent().flatMap { tamper(true, $0) }
        let fromB = b.takeSent().flatMap { tamper(false, $0) }
        if fromA.isEmpty, fromB.isEmpty { return }
        for message in fromA { try b.receive(message) }
        for message in fromB { try a.receive(message) }
    }
    Issue.record("the handshake does not come to an end")
}
