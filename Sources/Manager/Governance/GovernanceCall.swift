public import AdapterKit
import Constitution
public import Ledger
public import Primitives

/// A governance message on its way to the primary: the signed bytes, what the path said of them, and the certificates of
/// the client that brought them. Nothing in it has to be believed: the primary verifies the signature itself.
public struct GovernanceCall: Sendable, Hashable {
    /// `proposal`, `ballot` or `withdrawal`.
    public var kind: String
    /// The proposal that the path named.
    public var proposalID: String?
    /// The member that the path named.
    public var member: String?
    /// The COSE_Sign1.
    public var message: [UInt8]
    /// Certificates of the client's session in DER, its own first.
    public var session: [[UInt8]]
    /// It may have been taken already: its sender lost the primary that it went to. Then the first answer is given.
    public var isRepeated = false

    /// A message.
    public init(kind: String, proposalID: String? = nil, member: String? = nil, message: [UInt8], session: [[UInt8]]) {
        self.kind = kind
        self.proposalID = proposalID
        self.member = member
        self.message = message
        self.session = session
    }

    var route: Governance.Route {
        .init(kind: GovernanceMessage.Kind(rawValue: kind), proposalID: proposalID, actor: member)
    }
}

extension GovernanceCall: WireCodable {
    private static let certificateBytesMax = 1 << 16
    private static let certificatesMax = 16
    private static let nameBytesMax = 256

    /// Whether another node would read it.
    var isWithinLimits: Bool {
        proposalID?.utf8.count ?? 0 <= Self.nameBytesMax && member?.utf8.count ?? 0 <= Self.nameBytesMax
            && message.count <= GovernanceMessage.byteCountMax && session.count <= Self.certificatesMax
            && session.allSatisfy { $0.count <= Self.certificateBytesMax }
    }

    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.text(kind)
        writer.optional(proposalID) { $0.text($1) }
        writer.optional(member) { $0.text($1) }
        writer.blob(message)
        writer.list(session) { $0.blob($1) }
        writer.bool(isRepeated)
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        let at = reader.offset
        kind = try reader.text(limit: 32)
        guard GovernanceMessage.Kind(rawValue: kind) != nil else { throw .invalid(at: at) }
        proposalID = try reader.optional { reader throws(ByteReaderError) in try reader.text(limit: Self.nameBytesMax) }
        member = try reader.optional { reader throws(ByteReaderError) in try reader.text(limit: Self.nameBytesMax) }
        message = try reader.blob(limit: GovernanceMessage.byteCountMax)
        session = try reader.list(limit: Self.certificatesMax) { reader throws(ByteReaderError) in
            try reader.blob(limit: Self.certificateBytesMax)
        }
        isRepeated = try reader.bool()
    }
}

/// The primary's answer to a ``GovernanceCall``.
public struct GovernanceAnswer: Sendable, Hashable {
    /// HTTP status.
    public var status: UInt16
    /// JSON: the proposal as it stands after the message, or an error object.
    public var body: [UInt8]
    /// The committed entry that it reflects.
    public var id: TransactionID?

    /// An answer.
    public init(status: UInt16, body: [UInt8], id: TransactionID? = nil) {
        self.status = status
        self.body = body
        self.id = id
    }

    init(_ error: GovernanceError) {
        let body: JSON = ["error": ["code": .string(error.code.rawValue), "message": .string(error.reason)]]
        self.init(status: UInt16(clamping: error.status), body: body.serialized())
    }

    var response: ClientResponse { ClientResponse(status: Int(status), reflects: id, body: body) }
}

extension GovernanceAnswer: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.integer(status)
        writer.blob(body)
        writer.optional(id) { $1.encode(to: &$0) }
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        let at = reader.offset
        status = try reader.integer()
        guard (200..<600).contains(status) else { throw .invalid(at: at) }
        body = try reader.blob(limit: 4 << 20)
        id = try reader.optional { reader throws(ByteReaderError) in try TransactionID(from: &reader) }
    }
}
