/// Sizes beyond which a constitution is refused.
package enum Limits {
    /// Members and participants.
    package static let actorsMax = 1024
    /// Certificates of one actor.
    package static let certificatesMax = 16
    /// Bytes of a certificate.
    package static let certificateByteCountMax = 1 << 16
    /// Nodes; as many as a consensus configuration takes.
    package static let nodesMax = 1024
    /// Entries of the code manifest.
    package static let codeMax = 1024
    /// Platform keys.
    package static let softwareKeysMax = 4096
    /// Adapters; as many as a worker takes.
    package static let adaptersMax = 64
    /// Entries that this build does not know.
    package static let unknownMax = 4096
    /// Bytes of the whole genesis.
    package static let byteCountMax = GenesisFile.byteCountMax
}
