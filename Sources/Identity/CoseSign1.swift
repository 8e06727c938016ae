public import Primitives

/// A COSE_Sign1 message (RFC 9052, 4.2) with ES256 or ES384, payload attached or detached.
public struct CoseSign1: Sendable, Hashable {
    /// Labels of header parameters.
    public enum Label {
        /// Algorithm (RFC 9052, 3.1).
        public static let algorithm: Int64 = 1
        /// Key id (RFC 9052, 3.1).
        public static let keyID: Int64 = 4
        /// CWT claims (RFC 9597).
        public static let claims: Int64 = 15
        /// Kind of verifiable data structure (draft-ietf-cose-merkle-tree-proofs).
        public static let verifiableDataStructure: Int64 = 395
        /// Proofs in that structure, in the unprotected header.
        public static let proofs: Int64 = 396
        /// Inclusion proofs among ``proofs``.
        public static let inclusion: Int64 = -1
    }

    /// The tag of COSE_Sign1.
    public static let tag: UInt64 = 18

    /// The protected header as it was signed.
    public let protectedBytes: [UInt8]
    /// The protected header, a map.
    public let protected: CBOR
    /// The unprotected header, a map, which nothing signs.
    public var unprotected: CBOR
    /// The payload, nil when it is detached.
    public let payload: [UInt8]?
    /// The signature as r ‖ s.
    public let signature: [UInt8]

    /// Signs `payload`. The algorithm goes to the protected header by itself.
    /// - Parameters:
    ///   - headers: the other protected parameters.
    ///   - isDetached: whether the message leaves the payload out.
    /// - Throws: ``IdentityError/signing(_:file:line:)``.
    public static func sign(
        payload: [UInt8], headers: [CBOR.Pair], unprotected: [CBOR.Pair] = [], isDetached: Bool = false,
        key: SigningKey
    ) throws(IdentityError) -> CoseSign1 {
        let protected = protected(headers, key.publicKey.curve)
        let protectedBytes = protected.encoded()
        let signature = try key.rawSignature(message: signed(protectedBytes, payload))
        return CoseSign1(
            protectedBytes: protectedBytes, protected: protected, unprotected: .map(unprotected),
            payload: isDetached ? nil : payload, signature: signature)
    }

    /// What is signed (Sig_structure, RFC 9052, 4.4), for a key that is elsewhere. `headers` are the protected parameters
    /// beside the algorithm, which goes with the key's curve.
    public static func bytesToSign(payload: [UInt8], headers: [CBOR.Pair], curve: Curve) -> [UInt8] {
        signed(protected(headers, curve).encoded(), payload)
    }

    /// A message with a signature, r ‖ s, over ``bytesToSign(payload:headers:curve:)``; not verified here.
    public init(payload: [UInt8], headers: [CBOR.Pair], curve: Curve, signature: [UInt8]) {
        let protected = Self.protected(headers, curve)
        self.init(
            protectedBytes: protected.encoded(), protected: protected, unprotected: .map([]), payload: payload,
            signature: signature)
    }

    private static func protected(_ headers: [CBOR.Pair], _ curve: Curve) -> CBOR {
        .map([CBOR.Pair(.integer(Label.algorithm), .integer(algorithm(of: curve)))] + headers)
    }

    /// Reads a message, tagged 18.
    /// - Throws: ``IdentityError/malformedMessage(_:file:line:)``.
    public init(_ bytes: [UInt8], limits: CBOR.Limits = CBOR.Limits()) throws(IdentityError) {
        let item: CBOR
        do { item = try CBOR.decode(bytes, limits: limits) } catch {
            throw .malformedMessage("no CBOR: \(error)")
        }
        guard case .tagged(Self.tag, .array(let parts)) = item, parts.count == 4 else {
            throw .malformedMessage("no COSE_Sign1 of four parts")
        }
        guard let protectedBytes = parts[0].bytesValue, case .map = parts[1], let signature = parts[3].bytesValue else {
            throw .malformedMessage("a part of the COSE_Sign1 is of another type")
        }
        switch parts[2] {
        case .null: payload = nil
        case .bytes(let bytes): payload = bytes
        default: throw .malformedMessage("the payload is neither bytes nor null")
        }
        let protected: CBOR
        do { protected = try CBOR.decode(protectedBytes, limits: limits) } catch {
            throw .malformedMessage("the protected header is no CBOR: \(error)")
        }
        guard case .map = protected else { throw .malformedMessage("the protected header is no map") }
        self.protectedBytes = protectedBytes
        self.protected = protected
        unprotected = parts[1]
        self.signature = signature
    }

    private init(
        protectedBytes: [UInt8], protected: CBOR, unprotected: CBOR, payload: [UInt8]?, signature: [UInt8]
    ) {
        self.protectedBytes = protectedBytes
        self.protected = protected
        self.unprotected = unprotected
        self.payload = payload
        self.signature = signature
    }

    /// The message, tagged 18.
    public func encoded() -> [UInt8] {
        CBOR.tagged(
            Self.tag,
            .array([.bytes(protectedBytes), unprotected, payload.map { .bytes($0) } ?? .null, .bytes(signature)])
        ).encoded()
    }

    /// The key id in the protected header.
    public var keyID: [UInt8]? { protected[Label.keyID]?.bytesValue }

    /// Checks the signature, and that the algorithm in the protected header is the key's.
    /// - Parameter detached: the payload, when the message has none. One of the two must be there, not both.
    /// - Throws: ``IdentityError/malformedMessage(_:file:line:)``, ``IdentityError/badSignature(_:file:line:)``.
    public func verify(key: PublicKey, detached: [UInt8]? = nil) throws(IdentityError) {
        guard protected[Label.algorithm]?.integerValue == Self.algorithm(of: key.curve) else {
            throw .badSignature("the algorithm in the header is not the key's")
        }
        let signedPayload: [UInt8]
        switch (payload, detached) {
        case (let bytes?, nil), (nil, let bytes?): signedPayload = bytes
        default: throw .malformedMessage("exactly one of an attached and a detached payload is due")
        }
        guard key.verifies(rawSignature: signature, message: Self.signed(protectedBytes, signedPayload)) else {
            throw .badSignature("the COSE signature is not by this key over this payload")
        }
    }

    /// COSE algorithm of a curve: ES256 = -7, ES384 = -35 (RFC 9053, 2.1).
    public static func algorithm(of curve: Curve) -> Int64 {
        curve == .p256 ? -7 : -35
    }

    /// The Sig_structure (RFC 9052, 4.4) without external data.
    private static func signed(_ protectedBytes: [UInt8], _ payload: [UInt8]) -> [UInt8] {
        CBOR.array([.text("Signature1"), .bytes(protectedBytes), .bytes([]), .bytes(payload)]).encoded()
    }
}
