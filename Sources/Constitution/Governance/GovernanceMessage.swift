internal import Attestation
internal import Crypto
public import Identity
public import Primitives

/// A governance message: a COSE_Sign1 in the form that CCF's tools make (`ccf_cose_sign1` of PyPI `ccf`). The protected
/// header has the algorithm, the key id (64 hexadecimal digits: SHA-256 of the signer's certificate in DER),
/// `ccf.gov.msg.type`, `ccf.gov.msg.created_at` in seconds since 1970, and for a vote or withdrawal
/// `ccf.gov.msg.proposal_id`.
public struct GovernanceMessage: Sendable, Hashable {
    /// What it is.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A proposal; the payload is ``Proposal/json``.
        case proposal
        /// A vote; the payload is `{"ballot": "for" | "against" | "abstain"}`.
        case ballot
        /// The proposer takes its proposal back; the payload says nothing.
        case withdrawal
    }

    /// Names in the protected header.
    enum Header {
        static let type = "ccf.gov.msg.type"
        static let createdAt = "ccf.gov.msg.created_at"
        static let proposalID = "ccf.gov.msg.proposal_id"
        /// Critical parameters (RFC 9052, 3.1).
        static let critical: Int64 = 2
        /// The signer's certificate and those above it (RFC 9360).
        static let chain: Int64 = 33
    }

    /// Bytes of a message at most.
    public static let byteCountMax = Proposal.byteCountMax + (1 << 17)
    /// Bytes of the payload of a vote or withdrawal at most.
    static let smallPayloadMax = 4096
    /// Certificates that a message may bring.
    static let chainMax = 8

    /// The message as it came.
    public let bytes: [UInt8]
    /// What it is.
    public let kind: Kind
    /// The proposal that a vote or withdrawal is about.
    public let proposalID: String?
    /// Seconds since 1970 at which it says that it was signed.
    public let signedAt: UInt64
    /// SHA-256 of what was signed: protected header and payload. Signature and unprotected header are not in it, as others
    /// than the signer can change them.
    public let digest: [UInt8]
    private let message: CoseSign1
    private let keyID: String
    /// Certificates in the header, the signer's first.
    private let chain: [[UInt8]]

    /// What was signed.
    public var payload: [UInt8] { message.payload ?? [] }

    /// Reads a message. Nothing is verified; ``signer(in:session:at:)`` does.
    /// - Throws: ``GovernanceError``.
    public init(_ bytes: [UInt8]) throws(GovernanceError) {
        guard bytes.count <= Self.byteCountMax else {
            throw GovernanceError(.tooLarge, "a message of \(bytes.count) bytes; \(Self.byteCountMax) are the most")
        }
        do { message = try CoseSign1(bytes, limits: CBOR.Limits(depthMax: 8, itemCountMax: 256)) } catch {
            throw GovernanceError(.malformed, "no COSE_Sign1: \(error.reason)")
        }
        self.bytes = bytes
        guard let payload = message.payload else { throw GovernanceError(.malformed, "the payload is detached") }
        let protected = message.protected
        guard protected[Header.critical] == nil else {
            throw GovernanceError(.malformed, "a critical header parameter that is not known here")
        }
        guard let type = protected[Header.type]?.textValue else {
            throw GovernanceError(.malformed, "the protected header has no text \(Header.type)")
        }
        guard let kind = Kind(rawValue: type) else {
            throw GovernanceError(
                .malformed, "\(Header.type) is \(type.prefix(40)); known are proposal, ballot, withdrawal")
        }
        self.kind = kind
        guard case .unsigned(let signedAt)? = protected[Header.createdAt], signedAt <= 9_999_999_999 else {
            throw GovernanceError(.invalidTime, "\(Header.createdAt) takes seconds since 1970")
        }
        self.signedAt = signedAt
        let proposalID = protected[Header.proposalID]
        if kind == .proposal {
            guard proposalID == nil else { throw GovernanceError(.malformed, "a proposal does not name a proposal") }
            self.proposalID = nil
        } else {
            guard let id = proposalID?.textValue, Constitution.isNetworkID(id) else {
                throw GovernanceError(.malformed, "\(Header.proposalID) takes 64 lower-case hexadecimal digits")
            }
            self.proposalID = id
            guard payload.count <= Self.smallPayloadMax else {
                throw GovernanceError(
                    .tooLarge, "a payload of \(payload.count) bytes; \(Self.smallPayloadMax) are the most")
            }
        }
        guard let key = protected[CoseSign1.Label.keyID]?.bytesValue, let text = String(validating: key, as: UTF8.self),
            Constitution.isNetworkID(text)
        else {
            throw GovernanceError(.malformed, "the protected header has no key id: SHA-256 of the certificate, as text")
        }
        keyID = text
        chain = try Self.chain(protected[Header.chain] ?? message.unprotected[Header.chain])
        var hasher = SHA256()
        let length = UInt64(message.protectedBytes.count)
        hasher.update(data: withUnsafeBytes(of: length.littleEndian) { Array($0) })
        hasher.update(data: message.protectedBytes)
        hasher.update(data: payload)
        digest = Array(hasher.finalize())
    }

    static func chain(_ header: CBOR?) throws(GovernanceError) -> [[UInt8]] {
        switch header {
        case nil: return []
        case .bytes(let der)?: return [der]
        case .array(let items)?:
            let chain = items.compactMap(\.bytesValue)
            guard chain.count == items.count, chain.count <= Self.chainMax else { fallthrough }
            return chain
        default: throw GovernanceError(.malformed, "the certificate chain in the header is none")
        }
    }

    /// Finds and verifies who signed the message. The certificate is one that the constitution lists, or else the one in
    /// the header or of the client's session, when it leads to an actor's organisation.
    /// - Parameters:
    ///   - session: certificates of the client that brought the message, in DER, its own first; may be empty.
    ///   - time: ledger time in milliseconds at which certificates must be valid.
    /// - Returns: the actor, and the certificates by which it was found.
    /// - Throws: ``GovernanceError`` of the kind `notAuthenticated`.
    public func signer(
        in constitution: Constitution, session: [[UInt8]], at time: UInt64
    ) throws(GovernanceError) -> (actor: Actor, chain: [[UInt8]]) {
        let listed = constitution.actors.flatMap { $0.certificates }.filter { $0.kind == .endEntity }.map { [$0.der] }
        guard let chain = (listed + [chain, session]).first(where: { $0.first.map(isKeyID) ?? false }) else {
            throw GovernanceError(.notAuthenticated, "the key id names no certificate that is known here")
        }
        let actor: Actor
        do { actor = try constitution.resolveActor(certificateChain: chain, at: time) } catch {
            throw GovernanceError(.notAuthenticated, "\(error)")
        }
        do {
            let certificate = try X509Certificate(der: chain[0])
            try message.verify(key: certificate.publicKey)
        } catch { throw GovernanceError(.notAuthenticated, error.reason) }
        return (actor, chain)
    }

    private func isKeyID(_ der: [UInt8]) -> Bool { Hex.encode(Array(SHA256.hash(data: der))) == keyID }

    /// The vote in the payload.
    /// - Throws: ``GovernanceError`` of the kind `malformed`.
    func vote() throws(GovernanceError) -> Vote {
        let limits = JSONLimits(bytesMax: Self.smallPayloadMax, depthMax: 4, valuesMax: 16)
        guard let json = try? JSON(parsing: payload, limits: limits), let object = json.object,
            object.members.count == 1, let text = object["ballot"]?.string, let vote = Vote(rawValue: text)
        else { throw GovernanceError(.malformed, "a vote is {\"ballot\": \"for\"}, \"against\" or \"abstain\"") }
        return vote
    }
}

extension GovernanceMessage {
    /// Signs a message.
    /// - Parameters:
    ///   - certificate: the signer's certificate; `key` is its key.
    ///   - signedAt: seconds since 1970.
    /// - Returns: the COSE_Sign1.
    /// - Throws: `IdentityError.signing`.
    public static func sign(
        _ kind: Kind, payload: [UInt8], proposalID: String? = nil, signedAt: UInt64, certificate: X509Certificate,
        key: SigningKey
    ) throws(IdentityError) -> [UInt8] {
        try UnsignedMessage(
            kind, payload: payload, proposalID: proposalID, signedAt: signedAt, certificate: certificate
        ).signed(by: key)
    }
}

/// A message as the ledger keeps it, with the certificates by which its signer was found.
public struct RecordedMessage: Sendable, Hashable {
    /// The COSE_Sign1 as it came.
    public let bytes: [UInt8]
    /// Certificates in DER, the signer's first.
    public let chain: [[UInt8]]

    init(bytes: [UInt8], chain: [[UInt8]]) {
        self.bytes = bytes
        self.chain = chain
    }

    var record: [UInt8] {
        GovernanceRecord.bytes { writer in
            writer.blob(bytes)
            writer.list(chain) { $0.blob($1) }
        }
    }

    /// Reads a value of ``GovernanceMaps/history``.
    /// - Throws: `ByteReaderError`.
    public init(record: [UInt8]) throws(ByteReaderError) {
        var reader = try GovernanceRecord.reader(record)
        bytes = try reader.blob(limit: GovernanceMessage.byteCountMax)
        chain = try reader.list(limit: GovernanceMessage.chainMax) { reader throws(ByteReaderError) in
            try reader.blob(limit: Limits.certificateByteCountMax)
        }
        try reader.finish()
    }
}
