import Identity
import Testing

/// A key whose scalar is `fill` in each byte.
func testKey(_ fill: UInt8, _ curve: Curve = .p256) throws -> SigningKey {
    try SigningKey(rawRepresentation: [UInt8](repeating: fill, count: curve.coordinateByteCount), curve: curve)
}

@Suite struct KeyTests {
    @Test(arguments: [Curve.p256, .p384]) func roundTrips(curve: Curve) throws {
        let key = try testKey(7, curve)
        #expect(try SigningKey(rawRepresentation: key.rawRepresentation, curve: curve).publicKey == key.publicKey)
        #expect(try SigningKey(pem: key.pem).publicKey == key.publicKey)
        #expect(try PublicKey(spki: key.publicKey.spki) == key.publicKey)
        #expect(key.publicKey.curve == curve)
        #expect(key.publicKey.id.count == 64)
    }

    /// Simulations sign alike each time, and everyone can verify it.
    @Test func derivedNoncesRepeat() throws {
        let key = try testKey(3)
        let other = try testKey(4)
        let request = CertificateRequest(
            commonName: "a", purpose: .authority(pathLength: 0), serial: [1], notBefore: 0, notAfter: 1_000_000_000_000)
        try SigningKey.withDerivedNonces {
            for last in 0..<40 as Range<UInt8> {
                let digest = [UInt8](repeating: 9, count: 31) + [last]
                let signature = try key.signature(digest: digest)
                #expect(key.publicKey.verifies(derSignature: signature, digest: digest))
                #expect(try key.signature(digest: digest) == signature)
                #expect(try other.signature(digest: digest) != signature)
            }
            let certificate = try X509Certificate.selfSigned(request, key: key)
            #expect(certificate.isSigned(by: key.publicKey))
            #expect(try X509Certificate.selfSigned(request, key: key).der == certificate.der)
        }
        let digest = [UInt8](repeating: 9, count: 32)
        #expect(try key.signature(digest: digest) != key.signature(digest: digest))
    }

    @Test(arguments: [Curve.p256, .p384]) func signsDigestsAsTheyAre(curve: Curve) throws {
        let key = try testKey(3, curve)
        let digest = [UInt8](0..<32)
        let signature = try key.signature(digest: digest)
        #expect(key.publicKey.verifies(derSignature: signature, digest: digest))
        #expect(!key.publicKey.verifies(derSignature: signature, digest: [UInt8](1..<33)))
        #expect(!key.publicKey.verifies(derSignature: signature, digest: Array(digest.dropLast())))
        #expect(!(try testKey(4, curve).publicKey.verifies(derSignature: signature, digest: digest)))
        for bit in 0..<signature.count * 8 {
            var damaged = signature
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!key.publicKey.verifies(derSignature: damaged, digest: digest))
        }
        #expect(throws: IdentityError.signing("")) { try key.signature(digest: [1, 2, 3]) }
    }

    @Test func refusesWhatIsNoKey() {
        #expect(throws: IdentityError.malformedKey("")) {
            try SigningKey(rawRepresentation: [UInt8](repeating: 0, count: 32))
        }
        #expect(throws: IdentityError.malformedKey("")) {
            try SigningKey(rawRepresentation: [UInt8](repeating: 0xFF, count: 32))
        }
        #expect(throws: IdentityError.malformedKey("")) { try SigningKey(rawRepresentation: [1]) }
        #expect(throws: IdentityError.malformedKey("")) { try SigningKey(pem: "no key") }
        #expect(throws: IdentityError.malformedKey("")) { try PublicKey(spki: [0x30, 0]) }
    }

    @Test func survivesDamagedKeys() throws {
        let spki = try testKey(9).publicKey.spki
        for bit in 0..<spki.count * 8 {
            var damaged = spki
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            _ = try? PublicKey(spki: damaged)
        }
        for length in 0..<spki.count {
            #expect(throws: IdentityError.malformedKey("")) { try PublicKey(spki: Array(spki[..<length])) }
        }
    }

    @Test func base64IsStrict() {
        #expect(Base64.encode([0xFF]) == "/w==")
        #expect(Base64.decode("/w==") == [0xFF])
        for text in ["/x==", "/w=", "/w", "/w==\n", " /w==", "-w==", "/w==/w=="] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }
}
