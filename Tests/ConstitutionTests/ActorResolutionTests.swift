import Attestation
import Constitution
import Identity
import Testing

@Suite("Actors by certificate")
struct ActorResolutionTests {
    let constitution: Constitution
    let authority: X509Certificate

    init() throws {
        constitution = try Constitution(genesis: Sample.document())
        authority = try Sample.supplierAuthority()
    }

    private func issued(
        _ name: String, _ purpose: CertificateRequest.Purpose = .actor, number: UInt8, to: UInt64 = now + year
    ) throws -> X509Certificate {
        try X509Certificate.issue(
            request(name, purpose, to: to), for: key(number).publicKey, issuer: authority,
            issuerKey: Sample.supplierKey())
    }

    private func expect(
        _ refusal: ActorRefusal, _ chain: [[UInt8]], at time: UInt64 = now,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(throws: refusal, sourceLocation: sourceLocation) {
            try constitution.resolveActor(certificateChain: chain, at: time)
        }
        #expect(constitution.actor(forCertificateChain: chain, at: time) == nil, sourceLocation: sourceLocation)
    }

    @Test("an actor's own certificate is the actor")
    func own() throws {
        let der = try certificate("bank-a", key: Sample.ownerKey(0)).der
        // Certificates of these tests are signed with a fresh nonce, so the listed one is taken from the document.
        let listed = constitution.members[0].certificates[0].der
        #expect(constitution.actor(forCertificateChain: [listed], at: now)?.id == "bank-a")
        #expect(constitution.isMember("bank-a"))
        #expect(constitution.mayTransact("bank-a"))
        if der != listed { expect(.unknown, [der]) }
        expect(.notValidNow, [listed], at: now + 2 * year)
        expect(.notValidNow, [listed], at: now - 2 * year)
    }

    @Test("whoever an organisation certifies acts for it")
    func organisation() throws {
        let leaf = try issued("employee", number: 60)
        // The listed authority and the one that issued are of one key and name.
        let listed = try X509Certificate(der: constitution.participants[0].certificates[0].der)
        #expect(listed.publicKey == authority.publicKey)
        #expect(constitution.actor(forCertificateChain: [leaf.der], at: now)?.id == "supplier")
        #expect(constitution.actor(forCertificateChain: [leaf.der, listed.der], at: now)?.id == "supplier")
        #expect(!constitution.isMember("supplier"))
        let old = try issued("left", number: 61, to: now - 1)
        expect(.notValidNow, [old.der])
        expect(.notValidNow, [leaf.der], at: now + 2 * year)
    }

    @Test("an intermediate authority needs to come along")
    func intermediate() throws {
        let department = try issued("department", .authority(pathLength: 0), number: 62)
        let leaf = try X509Certificate.issue(
            request("clerk", .actor), for: key(63).publicKey, issuer: department, issuerKey: key(62))
        #expect(constitution.actor(forCertificateChain: [leaf.der, department.der], at: now)?.id == "supplier")
        expect(.unknown, [leaf.der])
        // An authority of the organisation is not the organisation.
        expect(.unknown, [department.der])
        expect(.unknown, [constitution.participants[0].certificates[0].der])
    }

    @Test("strangers, forged issuers and garbage are nobody")
    func strangers() throws {
        expect(.noCertificate, [])
        expect(.chainTooLong, [[UInt8]](repeating: [1], count: 6))
        expect(.unknown, [try certificate("bank-a", key: key(70)).der])
        // The authority's name over another key.
        let forged = try certificate("supplier", .authority(pathLength: 1), key: key(71))
        let leaf = try X509Certificate.issue(
            request("spy", .actor), for: key(72).publicKey, issuer: forged, issuerKey: key(71))
        expect(.unknown, [leaf.der, forged.der])
        expect(.unknown, [leaf.der, authority.der])
        guard
            case .failure(.malformed) = Result(catching: { () throws(ActorRefusal) in
                try constitution.resolveActor(certificateChain: [[0x30, 0]], at: now)
            })
        else {
            Issue.record("garbage accepted")
            return
        }
    }

    @Test("the nearest organisation counts when one certifies another")
    func nested() throws {
        let inner = try issued("daughter", .authority(pathLength: 0), number: 80)
        var document = try Sample.document()
        document.actors.removeAll { $0.id == "supplier" }
        document.actors.append(
            Actor(id: "supplier", role: .participant, certificates: [.init(kind: .organisation, der: authority.der)]))
        document.actors.append(
            Actor(id: "daughter", role: .participant, certificates: [.init(kind: .organisation, der: inner.der)]))
        let constitution = try Constitution(genesis: document)
        let leaf = try X509Certificate.issue(
            request("hers", .actor), for: key(81).publicKey, issuer: inner, issuerKey: key(80))
        #expect(constitution.actor(forCertificateChain: [leaf.der, inner.der], at: now)?.id == "daughter")
        #expect(constitution.actor(forCertificateChain: [leaf.der], at: now)?.id == "daughter")
        let other = try issued("theirs", number: 82)
        #expect(constitution.actor(forCertificateChain: [other.der, inner.der], at: now)?.id == "supplier")
    }

    @Test("several certificates of an actor overlap")
    func rollover() throws {
        var document = try Sample.document()
        let next = try certificate("bank-a", key: key(90), from: now, to: now + 3 * year)
        document.actors[0].certificates.append(.init(kind: .endEntity, der: next.der))
        let constitution = try Constitution(genesis: document)
        let old = document.actors[0].certificates[0].der
        #expect(constitution.actor(forCertificateChain: [old], at: now)?.id == "bank-a")
        #expect(constitution.actor(forCertificateChain: [next.der], at: now)?.id == "bank-a")
        #expect(constitution.actor(forCertificateChain: [old], at: now + 2 * year) == nil)
        #expect(constitution.actor(forCertificateChain: [next.der], at: now + 2 * year)?.id == "bank-a")
        // A node may be signed with either key.
        document.nodes[0] = try document.nodes[0].tuple.signed(by: key(90))
        #expect(document.problems().isEmpty)
    }

    @Test("the admission policy says what the document says")
    func admission() throws {
        let policy = constitution.admissionPolicy
        #expect(policy.networkID == constitution.networkID)
        #expect(policy.nodes.map(\.nodeID) == constitution.nodes.map(\.nodeID))
        for (index, bank) in Sample.banks.enumerated() {
            let id = try Sample.nodeKey(index).publicKey.id
            #expect(constitution.node(id)?.owner == bank)
            #expect(constitution.node(id)?.host == "127.0.0.1")
            #expect(constitution.node(id)?.port == UInt16(9000 + index))
        }
        #expect(constitution.node("") == nil)
        #expect(constitution.weakestPlatform == .software)
    }
}
