import Identity
import Testing

private let now: UInt64 = 1_790_000_000_000
private let year: UInt64 = 31_536_000_000

private func request(_ name: String, _ purpose: CertificateRequest.Purpose) -> CertificateRequest {
    CertificateRequest(
        commonName: name, purpose: purpose, serial: [1, 2, 3], notBefore: now, notAfter: now + year,
        alternativeNames: purpose == .node ? [.dns("node.example"), .ip([127, 0, 0, 1])] : [])
}

@Suite struct CertificateTests {
    @Test func issuesWhatItCanRead() throws {
        let key = try testKey(1)
        let nodeKey = try testKey(2)
        let network = try X509Certificate.selfSigned(request("Network", .authority(pathLength: 0)), key: key)
        let node = try X509Certificate.issue(
            request("node-1", .node), for: nodeKey.publicKey, issuer: network, issuerKey: key)
        #expect(network.isAuthority)
        #expect(!node.isAuthority)
        #expect(node.publicKey == nodeKey.publicKey)
        #expect(node.commonName == "node-1")
        #expect(node.dnsNames == ["node.example"])
        #expect(node.serial == [1, 2, 3])
        #expect(node.notBefore == now)
        #expect(node.notAfter == now + year)
        #expect(node.isSigned(by: key.publicKey))
        #expect(!node.isSigned(by: nodeKey.publicKey))
        #expect(try X509Certificate(pem: node.pem) == node)
        #expect(try X509Certificate(pem: "\r\n" + node.pem.replacing("\n", with: "\r\n")) == node)
    }

    @Test func walksChains() throws {
        let rootKey = try testKey(1)
        let middleKey = try testKey(2)
        let actorKey = try testKey(3)
        let root = try X509Certificate.selfSigned(request("Root", .authority(pathLength: 1)), key: rootKey)
        let middle = try X509Certificate.issue(
            request("Bank A", .authority(pathLength: 0)), for: middleKey.publicKey, issuer: root, issuerKey: rootKey)
        let actor = try X509Certificate.issue(
            request("bank-a", .actor), for: actorKey.publicKey, issuer: middle, issuerKey: middleKey)
        func check(
            _ leaf: X509Certificate, _ intermediates: [X509Certificate], _ anchor: X509Certificate,
            at time: UInt64 = now + 1
        ) throws {
            try CertificateChain.validate(leaf: leaf, intermediates: intermediates, anchor: anchor, at: time)
        }
        try check(actor, [middle], root)
        try check(actor, [], middle)
        try check(actor, [root, middle], root)
        try check(actor, [], actor)
        #expect(throws: IdentityError.untrusted("")) { try check(actor, [], root) }
        #expect(throws: IdentityError.untrusted("")) { try check(middle, [], actor) }
        #expect(throws: IdentityError.untrusted("")) {
            try check(actor, [middle, middle, middle, middle, middle], root)
        }
        #expect(throws: IdentityError.notValidNow("")) { try check(actor, [middle], root, at: now - 1000) }
        #expect(throws: IdentityError.notValidNow("")) { try check(actor, [middle], root, at: now + year + 1000) }

        // An actor can't issue, even with a certificate that names it.
        #expect(throws: IdentityError.untrusted("")) {
            try X509Certificate.issue(request("x", .actor), for: rootKey.publicKey, issuer: actor, issuerKey: actorKey)
        }
        // Path length 0 below the root's 1: a third authority is one too many.
        let deepKey = try testKey(4)
        let deep = try X509Certificate.issue(
            request("Deep", .authority(pathLength: 0)), for: deepKey.publicKey, issuer: middle, issuerKey: middleKey)
        let leaf = try X509Certificate.issue(
            request("leaf", .actor), for: actorKey.publicKey, issuer: deep, issuerKey: deepKey)
        #expect(throws: IdentityError.untrusted("")) { try check(leaf, [deep, middle], root) }
        // The right names with another key behind them.
        let fakeMiddle = try X509Certificate.selfSigned(request("Bank A", .authority(pathLength: 0)), key: deepKey)
        #expect(throws: IdentityError.untrusted("")) { try check(actor, [fakeMiddle], root) }
    }

    @Test func refusesRequestsThatMakeNoCertificate() throws {
        let key = try testKey(1)
        for change in [
            { (r: inout CertificateRequest) in r.serial = [] }, { $0.serial = [0x80] }, { $0.serial = [0] },
            { $0.serial = [UInt8](repeating: 1, count: 21) }, { $0.commonName = "" },
            { $0.commonName = String(repeating: "x", count: 65) }, { $0.notAfter = $0.notBefore - 1 },
            { $0.notAfter = .max },
        ] {
            var bad = request("x", .actor)
            change(&bad)
            #expect(throws: IdentityError.malformedCertificate("")) { try X509Certificate.selfSigned(bad, key: key) }
        }
    }

    @Test func survivesDamagedCertificates() throws {
        let der = try X509Certificate.selfSigned(request("x", .authority(pathLength: 0)), key: testKey(1)).der
        for length in 0..<der.count {
            #expect(throws: IdentityError.malformedCertificate("")) { try X509Certificate(der: Array(der[..<length])) }
        }
        for index in der.indices {
            for value: UInt8 in [0, 0x80, 0xFF, der[index] ^ 1, der[index] &+ 1] {
                var damaged = der
                damaged[index] = value
                guard let certificate = try? X509Certificate(der: damaged) else { continue }
                _ = (certificate.commonName, certificate.notBefore, certificate.notAfter, certificate.dnsNames)
                if damaged != der { #expect(!certificate.isSigned(by: certificate.publicKey)) }
            }
        }
    }
}
