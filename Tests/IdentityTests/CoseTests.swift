import Identity
import Primitives
import Testing

@Suite struct CoseTests {
    @Test(arguments: [Curve.p256, .p384], [true, false])
    func signsAndVerifies(curve: Curve, isDetached: Bool) throws {
        let key = try testKey(5, curve)
        let message = try CoseSign1.sign(
            payload: [1, 2, 3], headers: [.init(.integer(4), .bytes(Array(key.publicKey.id.utf8)))],
            isDetached: isDetached, key: key)
        let read = try CoseSign1(message.encoded())
        #expect(read == message)
        #expect(read.keyID == Array(key.publicKey.id.utf8))
        try read.verify(key: key.publicKey, detached: isDetached ? [1, 2, 3] : nil)
        #expect(throws: IdentityError.malformedMessage("")) {
            try read.verify(key: key.publicKey, detached: isDetached ? nil : [1, 2, 3])
        }
        #expect(throws: IdentityError.badSignature("")) {
            try read.verify(key: testKey(6, curve).publicKey, detached: isDetached ? [1, 2, 3] : nil)
        }
        if isDetached {
            #expect(throws: IdentityError.badSignature("")) { try read.verify(key: key.publicKey, detached: [1, 2]) }
        }
    }

    @Test func everyFlippedBitIsFoundOrUnsigned() throws {
        let key = try testKey(5)
        let bytes = try CoseSign1.sign(payload: [9, 9], headers: [], key: key).encoded()
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let message = try? CoseSign1(damaged) else { continue }
            #expect(throws: IdentityError.self) { try message.verify(key: key.publicKey) }
        }
    }

    @Test func refusesTheAlgorithmOfAnotherKey() throws {
        let message = try CoseSign1.sign(payload: [1], headers: [], key: testKey(5, .p384))
        #expect(throws: IdentityError.badSignature("")) { try message.verify(key: testKey(5).publicKey) }
    }

    /// sign1-tests/sign-pass-02 shape: a message by another implementation (the COSE working group's examples,
    /// ecdsa-examples/ecdsa-sig-01, key "11" of P-256).
    @Test func readsTheWorkingGroupsExample() throws {
        let x: [UInt8] = [
            0xba, 0xc5, 0xb1, 0x1c, 0xad, 0x8f, 0x99, 0xf9, 0xc7, 0x2b, 0x05, 0xcf, 0x4b, 0x9e, 0x26, 0xd2, 0x44,
            0xdc, 0x18, 0x9f, 0x74, 0x52, 0x28, 0x25, 0x5a, 0x21, 0x9a, 0x86, 0xd6, 0xa0, 0x9e, 0xff,
        ]
        let y: [UInt8] = [
            0x20, 0x13, 0x8b, 0xf8, 0x2d, 0xc1, 0xb6, 0xd5, 0x62, 0xbe, 0x0f, 0xa5, 0x4a, 0xb7, 0x80, 0x4a, 0x3a,
            0x64, 0xb6, 0xd7, 0x2c, 0xcf, 0xed, 0x6b, 0x6f, 0xb6, 0xed, 0x28, 0xbb, 0xfc, 0x11, 0x7e,
        ]
        let prefix: [UInt8] = [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
            0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
        ]
        let key = try PublicKey(spki: prefix + x + y)
        let signature: [UInt8] = [
            0x8e, 0xb3, 0x3e, 0x4c, 0xa3, 0x1d, 0x1c, 0x46, 0x5a, 0xb0, 0x5a, 0xac, 0x34, 0xcc, 0x6b, 0x23, 0xd5,
            0x8f, 0xef, 0x5c, 0x08, 0x31, 0x06, 0xc4, 0xd2, 0x5a, 0x91, 0xae, 0xf0, 0xb0, 0x11, 0x7e, 0x2a, 0xf9,
            0xa2, 0x91, 0xaa, 0x32, 0xe1, 0x4a, 0xb8, 0x34, 0xdc, 0x56, 0xed, 0x2a, 0x22, 0x34, 0x44, 0x54, 0x7e,
            0x01, 0xf1, 0x1d, 0x3b, 0x09, 0x16, 0xe5, 0xa4, 0xc3, 0x45, 0xca, 0xcb, 0x36,
        ]
        // RFC 9052, appendix C.2.1.
        let message: [UInt8] =
            [0xD2, 0x84, 0x43, 0xA1, 0x01, 0x26, 0xA1, 0x04, 0x42, 0x31, 0x31, 0x54]
            + Array("This is the content.".utf8) + [0x58, 0x40] + signature
        try CoseSign1(message).verify(key: key)
    }
}
