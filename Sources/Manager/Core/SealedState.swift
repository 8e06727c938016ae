import AdapterKit
public import Consensus
public import Primitives

/// What a node must have to be the same instance after a restart. It is sealed to the platform and the measurement.
public struct SealedState: Sendable, Hashable {
    /// The node key, raw P-256 scalar.
    public var nodeKey: [UInt8]
    /// The network's identity key, raw P-256 scalar; empty before the node is let in.
    public var networkKey: [UInt8] = []
    /// The network's certificate, PEM.
    public var networkCertificate = ""
    /// This node's certificate endorsed by the network, PEM.
    public var nodeCertificate = ""
    /// Session keys by epoch.
    public var epochKeys: [EpochKey] = []
    /// The constitution that the owner approved, until the ledger says what is in force; empty otherwise.
    public var constitution: [UInt8] = []
    /// What consensus must not forget.
    public var hardState = HardState()

    /// The state of a node that has nothing but its key.
    public init(nodeKey: [UInt8]) {
        self.nodeKey = nodeKey
    }

    private static let version: UInt8 = 2

    /// The bytes to seal, version first.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 1_024)
        writer.integer(Self.version)
        writer.blob(nodeKey)
        writer.blob(networkKey)
        writer.text(networkCertificate)
        writer.text(nodeCertificate)
        writer.values(epochKeys)
        hardState.encode(to: &writer)
        writer.blob(constitution)
        return writer.bytes
    }

    /// Reads what was sealed.
    /// - Throws: ``ByteReaderError``.
    public init(decoding bytes: [UInt8]) throws(ByteReaderError) {
        var reader = ByteReader(bytes)
        let version = try reader.integer(UInt8.self)
        guard (1...Self.version).contains(version) else { throw .invalid(at: 0) }
        nodeKey = try reader.blob(limit: 64)
        networkKey = try reader.blob(limit: 64)
        networkCertificate = try reader.text(limit: 1 << 16)
        nodeCertificate = try reader.text(limit: 1 << 16)
        epochKeys = try reader.values(limit: 65_536)
        hardState = try HardState(decoding: &reader)
        if version > 1 { constitution = try reader.blob(limit: 16 << 20) }
        try reader.finish()
    }
}
