/// Names of CCF's public maps that a verifier reads.
public enum Tables {
    /// Root signatures by node keys.
    public static let signatures = "public:ccf.internal.signatures"
    /// Root signatures by the service key, as COSE.
    public static let coseSignatures = "public:ccf.internal.cose_signatures"
    /// The Merkle tree since the last signature.
    public static let tree = "public:ccf.internal.tree"
    /// Nodes by id: JSON with their status.
    public static let nodes = "public:ccf.gov.nodes.info"
    /// PEM certificates of nodes by id, issued by the service.
    public static let endorsedCertificates = "public:ccf.gov.nodes.endorsed_certificates"
    /// Status and certificate of the service.
    public static let service = "public:ccf.gov.service.info"
    /// Digests of snapshots.
    public static let snapshotEvidence = "public:ccf.internal.snapshot_evidence"

    /// The key of maps that hold one value.
    public static let singleton = [UInt8](repeating: 0, count: 8)
}
