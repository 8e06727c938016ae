internal import Crypto
public import Identity
internal import Primitives

/// A COSE_Sign1 before it is signed, for keys that stay elsewhere: ``bytesToSign`` goes to the device or service that holds
/// the key, ``signed(with:)`` takes what comes back.
public struct UnsignedMessage: Sendable, Hashable {
    /// The signer's certificate.
    public let certificate: X509Certificate
    private let payload: [UInt8]
    private let headers: [CBOR.Pair]

    /// A governance message.
    /// - Parameters:
    ///   - proposalID: what a vote or withdrawal is about.
    ///   - signedAt: seconds since 1970.
    public init(
        _ kind: GovernanceMessage.Kind, payload: [UInt8], proposalID: String? = nil, signedAt: UInt64,
        certificate: X509Certificate
    ) {
        self.init(
            type: kind.rawValue, payload: payload, proposalID: proposalID, signedAt: signedAt, certificate: certificate)
    }

    init(
        type: String, payload: [UInt8], proposalID: String? = nil, signedAt: UInt64, certificate: X509Certificate
    ) {
        self.certificate = certificate
        self.payload = payload
        var headers: [CBOR.Pair] = [
            .init(
                .integer(CoseSign1.Label.keyID),
                .bytes(Array(Hex.encode(Array(SHA256.hash(data: certificate.der))).utf8))),
            .init(.text(GovernanceMessage.Header.type), .text(type)),
            .init(.text(GovernanceMessage.Header.createdAt), .unsigned(signedAt)),
        ]
        if let proposalID { headers.append(.init(.text(GovernanceMessage.Header.proposalID), .text(proposalID))) }
        self.headers = headers
    }

    /// What is signed (Sig_structure of RFC 9052, 4.4): with ECDSA and SHA-256 for a P-256 key, SHA-384 for a P-384 key.
    public var bytesToSign: [UInt8] {
        CoseSign1.bytesToSign(payload: payload, headers: headers, curve: certificate.publicKey.curve)
    }

    /// The message with a signature that was made elsewhere.
    /// - Parameter signature: r ‖ s, or the DER form.
    /// - Throws: `IdentityError` when it is not the certificate's key's signature over ``bytesToSign``.
    public func signed(with signature: [UInt8]) throws(IdentityError) -> [UInt8] {
        let raw = certificate.publicKey.curve.rawSignature(der: signature) ?? signature
        let message = message(raw)
        try message.verify(key: certificate.publicKey)
        return message.encoded()
    }

    private func message(_ signature: [UInt8]) -> CoseSign1 {
        CoseSign1(payload: payload, headers: headers, curve: certificate.publicKey.curve, signature: signature)
    }

    /// The message signed with a key that is here.
    /// - Throws: `IdentityError.signing`.
    public func signed(by key: SigningKey) throws(IdentityError) -> [UInt8] {
        try message(key.rawSignature(message: bytesToSign)).encoded()
    }
}
