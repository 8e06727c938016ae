/// A kind of trusted execution environment.
///
/// The raw value is its name in constitutions, configurations and logs.
public enum Platform: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// AMD SEV-SNP: a virtual machine, measured as a whole.
    case sevSNP = "sev-snp"
    /// Intel TDX: a virtual machine, measured as a whole.
    case tdx
    /// Intel SGX: one enclave.
    case sgx
    /// No hardware: a platform key vouches for a measurement that the launcher took. Proves nothing against the owner
    /// of that key.
    case software

    /// The number that stands for it in byte forms.
    public var code: UInt8 {
        switch self {
        case .sevSNP: 1
        case .tdx: 2
        case .sgx: 3
        case .software: 4
        }
    }

    /// The platform of a ``code``.
    public init?(code: UInt8) {
        guard let platform = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = platform
    }

    /// The platform whose evidence has this form; nil when it is none's.
    public init?(evidence bytes: [UInt8]) {
        if (try? SoftwareEvidence(decoding: bytes)) != nil {
            self = .software
        } else if let quote = try? Quote(bytes) {
            self = quote.bodyType == 1 ? .sgx : .tdx
        } else if (try? SNPReport(Array(bytes.prefix(SNPReport.byteCount)))) != nil {
            self = .sevSNP
        } else {
            return nil
        }
    }

    /// Bytes of its measurement: SHA-384 launch digests of SEV-SNP and TDX, else SHA-256.
    public var measurementByteCount: Int {
        switch self {
        case .sevSNP, .tdx: 48
        case .sgx, .software: 32
        }
    }

    /// The name.
    public var description: String { rawValue }
}
