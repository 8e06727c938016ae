internal import Primitives

/// What the makers of platforms publish about them, from an operator's cache: certificates, revocation lists, statements
/// on security versions. Nobody vouches for the cache; all in it is signed by its maker.
public struct Collateral: Sendable, Hashable {
    /// What AMD publishes.
    public struct AMD: Sendable, Hashable {
        /// DER certificates of signing keys, intermediates and roots.
        public var certificates: [[UInt8]]
        /// Revocation lists, DER or PEM.
        public var revocationLists: [[UInt8]]

        /// What AMD publishes.
        public init(certificates: [[UInt8]] = [], revocationLists: [[UInt8]] = []) {
            self.certificates = certificates
            self.revocationLists = revocationLists
        }
    }

    /// What Intel's provisioning service answers for one kind of platform (PCS API version 4).
    public struct Intel: Sendable, Hashable {
        /// `/tcb`: the whole signed body.
        public var tcbInfo: [UInt8]
        /// Its chain, PEM: the header `TCB-Info-Issuer-Chain`, without its URL encoding.
        public var tcbInfoChain: [UInt8]
        /// `/qe/identity`: the whole signed body.
        public var qeIdentity: [UInt8]
        /// Its chain, PEM: the header `SGX-Enclave-Identity-Issuer-Chain`.
        public var qeIdentityChain: [UInt8]
        /// `/pckcrl`: the list of revoked platform keys, DER or PEM.
        public var pckRevocationList: [UInt8]
        /// The list of the root, DER or PEM.
        public var rootRevocationList: [UInt8]

        /// Answers; nothing is parsed yet.
        public init(
            tcbInfo: [UInt8], tcbInfoChain: [UInt8], qeIdentity: [UInt8], qeIdentityChain: [UInt8],
            pckRevocationList: [UInt8], rootRevocationList: [UInt8]
        ) {
            self.tcbInfo = tcbInfo
            self.tcbInfoChain = tcbInfoChain
            self.qeIdentity = qeIdentity
            self.qeIdentityChain = qeIdentityChain
            self.pckRevocationList = pckRevocationList
            self.rootRevocationList = rootRevocationList
        }
    }

    /// Version of the byte form.
    public static let version: UInt8 = 1
    /// Sets of Intel's answers in a cache, and certificates of AMD, at most.
    public static let itemCountMax = 256
    /// A single item over this size is refused.
    public static let itemByteCountMax = 1 << 20

    /// What AMD publishes.
    public var amd: AMD
    /// What Intel answers, a set for each kind of platform and TEE.
    public var intel: [Intel]

    /// A cache; empty unless said otherwise.
    public init(amd: AMD = .init(), intel: [Intel] = []) {
        self.amd = amd
        self.intel = intel
    }

    /// Certificates without what grows old within weeks.
    var certificatesOnly: Collateral { Collateral(amd: AMD(certificates: amd.certificates)) }

    /// `u8` version 1 ‖ list of AMD's certificates (blobs) ‖ list of AMD's revocation lists (blobs) ‖ list of Intel's sets,
    /// six blobs each in the order of ``Intel``'s fields. So a ledger can keep what a decision was based on.
    public var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 1 << 14)
        writer.integer(Self.version)
        writer.list(amd.certificates) { $0.blob($1) }
        writer.list(amd.revocationLists) { $0.blob($1) }
        writer.list(intel) { writer, set in
            for blob in set.blobs { writer.blob(blob) }
        }
        return writer.bytes
    }

    /// Reads the byte form.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``.
    public init(decoding bytes: [UInt8]) throws(AttestationError) {
        do {
            var reader = ByteReader(bytes)
            guard try reader.integer(UInt8.self) == Self.version else { throw ByteReaderError.invalid(at: 0) }
            amd = AMD(certificates: try Self.blobs(&reader), revocationLists: try Self.blobs(&reader))
            intel = try reader.list(limit: Self.itemCountMax) { reader throws(ByteReaderError) in
                var blobs: [[UInt8]] = []
                for _ in 0..<6 { blobs.append(try reader.blob(limit: Self.itemByteCountMax)) }
                return Intel(
                    tcbInfo: blobs[0], tcbInfoChain: blobs[1], qeIdentity: blobs[2], qeIdentityChain: blobs[3],
                    pckRevocationList: blobs[4], rootRevocationList: blobs[5])
            }
            try reader.finish()
        } catch { throw .malformed("no collateral: \(error)") }
    }

    private static func blobs(_ reader: inout ByteReader) throws(ByteReaderError) -> [[UInt8]] {
        try reader.list(limit: itemCountMax) { reader throws(ByteReaderError) in
            try reader.blob(limit: itemByteCountMax)
        }
    }
}

extension Collateral.Intel {
    fileprivate var blobs: [[UInt8]] {
        [tcbInfo, tcbInfoChain, qeIdentity, qeIdentityChain, pckRevocationList, rootRevocationList]
    }

    /// Reads a folder's files by the names that ``Collateral/init(files:)`` lists; nil when one is missing.
    init?(folder: String, _ files: [(path: String, bytes: [UInt8])]) {
        func file(_ name: String) -> [UInt8]? { files.first { $0.path == folder + name }?.bytes }
        guard let tcbInfo = file("tcb_info.json"), let tcbInfoChain = file("tcb_info_issuer_chain.pem"),
            let qeIdentity = file("qe_identity.json"), let qeIdentityChain = file("qe_identity_issuer_chain.pem"),
            let pckRevocationList = file("pck_crl.der"), let rootRevocationList = file("root_ca_crl.der")
        else { return nil }
        self.init(
            tcbInfo: tcbInfo, tcbInfoChain: tcbInfoChain, qeIdentity: qeIdentity, qeIdentityChain: qeIdentityChain,
            pckRevocationList: pckRevocationList, rootRevocationList: rootRevocationList)
    }
}

extension Collateral {
    /// Reads a cache out of the files of a folder.
    ///
    /// AMD: `.der`, `.crt`, `.cer` are certificates, `.pem` files of them, `.crl` revocation lists. Intel: each folder
    /// with a `tcb_info.json` is a set of answers, which also needs `tcb_info_issuer_chain.pem`, `qe_identity.json`,
    /// `qe_identity_issuer_chain.pem`, `pck_crl.der` and `root_ca_crl.der`. Other files are passed over.
    /// - Parameter files: relative paths with `/`, sorted, and contents.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``, which names the file.
    public init(files: [(path: String, bytes: [UInt8])]) throws(AttestationError) {
        var collateral = Collateral()
        let folders = files.map(\.path).filter { Self.name($0) == "tcb_info.json" }.map { Self.folder($0) }
        for folder in folders {
            guard let set = Intel(folder: folder, files) else {
                throw .malformed("\(folder.isEmpty ? "the cache" : folder) lacks one of Intel's answers")
            }
            collateral.intel.append(set)
        }
        for (path, bytes) in files where !folders.contains(Self.folder(path)) {
            let name = Self.name(path)
            do throws(AttestationError) {
                if name.hasSuffix(".crl") {
                    collateral.amd.revocationLists.append(bytes)
                } else if name.hasSuffix(".pem") {
                    collateral.amd.certificates += try PEMBundle.documents(bytes, label: "CERTIFICATE")
                } else if [".der", ".crt", ".cer"].contains(where: { name.hasSuffix($0) }) {
                    collateral.amd.certificates.append(bytes)
                }
            } catch { throw .malformed("\(path): \(error.reason)") }
        }
        guard collateral.amd.certificates.count <= Self.itemCountMax, collateral.intel.count <= Self.itemCountMax else {
            throw .malformed("more than \(Self.itemCountMax) items in the cache")
        }
        self = collateral
    }

    private static func folder(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    }

    private static func name(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }
}
