internal import Crypto
internal import FoundationEssentials
internal import Primitives

/// The symmetric key of an epoch, from which everything that encrypts the ledger is derived. It is never used itself.
public struct SessionKey: Sendable {
    /// The epoch that it serves.
    public let epoch: UInt64
    let key: SymmetricKey

    /// A key of 32 bytes that the caller drew.
    /// - Throws: ``LedgerError/malformed(_:file:line:)`` for another length.
    public init(epoch: UInt64, bytes: [UInt8]) throws(LedgerError) {
        guard bytes.count == 32 else { throw .malformed("a session key of \(bytes.count) bytes") }
        self.epoch = epoch
        key = SymmetricKey(data: bytes)
    }
}

/// One span in which one node leads: what makes its subkey its own even after a rollback.
public struct Leadership: Sendable, Hashable {
    /// The epoch.
    public let epoch: UInt64
    /// The view that the node leads.
    public let view: UInt64
    /// Digest of the leader's public key, 32 bytes: its node id.
    public let nodeID: [UInt8]
    /// 16 random bytes, drawn anew each time a node begins to lead.
    public let bootNonce: [UInt8]

    /// A span of leadership.
    /// - Throws: ``LedgerError/malformed(_:file:line:)`` when an id or nonce is of another length.
    public init(epoch: UInt64, view: UInt64, nodeID: [UInt8], bootNonce: [UInt8]) throws(LedgerError) {
        guard nodeID.count == 32, bootNonce.count == 16, view < 1 << 31 else {
            throw .malformed("a leadership takes a node id of 32 bytes, a nonce of 16 and a view below 2^31")
        }
        self.epoch = epoch
        self.view = view
        self.nodeID = nodeID
        self.bootNonce = bootNonce
    }
}
