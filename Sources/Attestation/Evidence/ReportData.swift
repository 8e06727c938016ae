internal import Crypto
internal import Primitives

/// The 64 bytes that evidence vouches for: a digest of everything that the evidence must not be used without.
public enum ReportData {
    /// Their number.
    public static let byteCount = 64

    /// Report data of a node on one channel to one peer: SHA-512 of "entente report data v1" ‖ 0 and, each behind its
    /// `u32` length, the node key (SPKI), the network id, the peer's challenge, the channel binding and the worker's
    /// measurement.
    ///
    /// The challenge makes evidence fresh, the node key keeps others from showing it, the channel binding keeps a
    /// middleman from passing it on.
    /// - Parameters:
    ///   - nodeKey: the node's public key, SPKI in DER.
    ///   - networkID: 64 hexadecimal digits.
    ///   - challenge: what the peer drew for this channel.
    ///   - channelBinding: what only the two ends of this TLS session know, see ``ChannelBinding``.
    ///   - workerMeasurement: measurement of the node's worker, empty when the worker is part of the manager.
    public static func bind(
        nodeKey: [UInt8], networkID: String, challenge: [UInt8], channelBinding: [UInt8], workerMeasurement: [UInt8]
    ) -> [UInt8] {
        digest(
            "entente report data v1", [nodeKey, Array(networkID.utf8), challenge, channelBinding, workerMeasurement])
    }

    /// Report data of a node that was made just now and knows no network: SHA-512 of "entente node init v1" ‖ 0, the
    /// node key (SPKI) and the worker's measurement, each behind its length. No handshake accepts them.
    public static func initial(nodeKey: [UInt8], workerMeasurement: [UInt8]) -> [UInt8] {
        digest("entente node init v1", [nodeKey, workerMeasurement])
    }

    private static func digest(_ domain: String, _ fields: [[UInt8]]) -> [UInt8] {
        var writer = ByteWriter(capacity: 512)
        writer.raw(domain.utf8)
        writer.integer(UInt8(0))
        for field in fields { writer.blob(field) }
        return Array(SHA512.hash(data: writer.bytes))
    }
}

/// What ties a handshake to the TLS session below it.
public enum ChannelBinding {
    /// Label of the TLS 1.3 exporter (RFC 8446, 7.5) to ask for, with an empty context and 32 bytes.
    public static let exporterLabel = "EXPORTER-entente-attested-handshake-v1"
    /// Bytes of the exporter to ask for; shorter bindings are refused.
    public static let byteCount = 32

    /// A binding where the TLS library has no exporter: SHA-256 of "entente channel certificates v1" ‖ 0 and both
    /// ends' certificates (DER), the initiator's first, each behind its length. Weaker than the exporter: two sessions
    /// of the same two certificates have the same binding, so only the challenges tell them apart.
    public static func certificates(initiator: [UInt8], responder: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(capacity: 2048)
        writer.raw("entente channel certificates v1".utf8)
        writer.integer(UInt8(0))
        writer.blob(initiator)
        writer.blob(responder)
        return Array(SHA256.hash(data: writer.bytes))
    }
}
