internal import Primitives

/// What is asked of one hardware platform besides what is always asked: valid chains, signatures, no debug mode.
///
/// The defaults are the strict ones. There is no field for debug mode, so no TEE manifest can allow it.
public struct PlatformRequirements: Sendable, Hashable {
    /// The oldest firmware that is accepted on one line of AMD processors.
    public struct ProductTCB: Sendable, Hashable {
        /// The line.
        public var product: SNPProduct
        /// TCB_VERSION as a report has it, 8 bytes, compared component by component.
        public var minimum: [UInt8]

        /// A minimum.
        public init(product: SNPProduct, minimum: [UInt8]) {
            self.product = product
            self.minimum = minimum
        }
    }

    /// SHA-256 of the DER forms of root certificates; empty for the maker's published ones, see ``PlatformRoots``.
    public var roots: [[UInt8]]
    /// `sev-snp`: accepted lines of processors with their oldest firmware, asked of the reported and of the committed
    /// TCB; empty for any.
    public var products: [ProductTCB]
    /// `sev-snp`: the least privileged VM level from which evidence is accepted, 0 to 3.
    public var vmplMax: UInt8
    /// Whether the environment may be moved to another machine: a migration agent on `sev-snp`, a migratable TD or a
    /// bound service TD on `tdx`.
    public var allowsMigration: Bool
    /// `sev-snp`: whether the host may run two threads on a core.
    public var allowsSMT: Bool
    /// `tdx`: whether the host may let memory accesses of the TD raise exceptions in it (SEPT_VE_DISABLE is off), and
    /// `sgx`: whether the enclave may have the provisioning key.
    public var allowsRelaxedAttributes: Bool
    /// `tdx`, `sgx`: accepted statuses of the TCB level.
    public var statuses: [TCBStatus]
    /// `tdx`, `sgx`: least number of the evaluation that TCB information and identities are by.
    public var evaluationNumberMin: UInt32
    /// `tdx`, `sgx`: security advisories that must not apply.
    public var refusedAdvisories: [String]
    /// `sev-snp`: whether a revocation list of the root must be at hand. On Intel's platforms it always must.
    public var needsRevocationList: Bool
    /// Conditions on further claims, such as `host_data`, `id_key_digest`, `body.mrsigner` or `body.isvsvn`.
    public var claims: [ClaimRule]

    /// Requirements; the defaults are strict.
    public init(
        roots: [[UInt8]] = [], products: [ProductTCB] = [], vmplMax: UInt8 = 0, allowsMigration: Bool = false,
        allowsSMT: Bool = true, allowsRelaxedAttributes: Bool = false,
        statuses: [TCBStatus] = [.upToDate, .swHardeningNeeded], evaluationNumberMin: UInt32 = 0,
        refusedAdvisories: [String] = [], needsRevocationList: Bool = false, claims: [ClaimRule] = []
    ) {
        self.roots = roots
        self.products = products
        self.vmplMax = vmplMax
        self.allowsMigration = allowsMigration
        self.allowsSMT = allowsSMT
        self.allowsRelaxedAttributes = allowsRelaxedAttributes
        self.statuses = statuses
        self.evaluationNumberMin = evaluationNumberMin
        self.refusedAdvisories = refusedAdvisories
        self.needsRevocationList = needsRevocationList
        self.claims = claims
    }

    /// What cryptography alone asks: any configuration, any status but Revoked.
    public static let lenient = PlatformRequirements(
        vmplMax: 3, allowsMigration: true, allowsRelaxedAttributes: true,
        statuses: TCBStatus.allCases.filter { $0 != .revoked })
}

/// The root certificates that the makers publish, by the SHA-256 of their DER forms.
public enum PlatformRoots {
    /// AMD's root keys (ARK).
    public static let amd: [(product: SNPProduct, digest: [UInt8])] = [
        (.milan, digest("69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd")),
        (.genoa, digest("4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1")),
        (.turin, digest("1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a")),
    ]
    /// The Intel SGX Root CA, for SGX and TDX.
    public static let intel = digest("44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3")

    /// The published roots of a platform; none for `software`.
    public static func published(_ platform: Platform) -> [[UInt8]] {
        switch platform {
        case .sevSNP: amd.map(\.digest)
        case .tdx, .sgx: [intel]
        case .software: []
        }
    }

    private static func digest(_ hex: String) -> [UInt8] { Hex.decode(hex) ?? [] }
}
