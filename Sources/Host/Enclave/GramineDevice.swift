internal import Glibc
internal import Synchronization

/// Gramine's pseudo-files for attestation (Gramine, Documentation/attestation.rst), inside an SGX enclave.
///
/// The files belong to the process, and nothing keeps two threads from mixing their requests, so a lock does.
public final class GramineDevice: EvidenceDevice {
    /// Where Gramine has them.
    public static let standardPath = "/dev/attestation"
    /// A quote over this size is refused.
    public static let quoteByteCountMax = 1 << 16

    private let path: String
    private let lock = Mutex<Void>(())

    /// `sgx`.
    public var platform: String { "sgx" }

    /// The device in a folder.
    /// - Throws: ``HostError`` unless Gramine was told to attest by DCAP.
    public init(path: String = GramineDevice.standardPath) throws(HostError) {
        self.path = path
        let kind = try AttributeFile.text(path + "/attestation_type")
        guard kind == "dcap" else {
            throw .unavailable(
                "Gramine's attestation is \(kind); set sgx.remote_attestation = \"dcap\" in its manifest")
        }
    }

    /// The quote.
    /// - Throws: ``HostError``: also when the quote is bound to other bytes.
    public func evidence(reportData: [UInt8]) throws(HostError) -> [UInt8] {
        guard reportData.count == 64 else { throw .platform("report data have 64 bytes") }
        let result = lock.withLock { _ -> Result<[UInt8], HostError> in
            do throws(HostError) {
                try AttributeFile.write(path + "/user_report_data", reportData)
                return .success(try AttributeFile.read(path + "/quote", limit: Self.quoteByteCountMax))
            } catch { return .failure(error) }
        }
        let quote = try result.get()
        // Header of 48 bytes, then the enclave's report with its data at 320.
        let offset = 48 + 320
        guard quote.count >= offset + 64, Array(quote[offset..<offset + 64]) == reportData else {
            throw .platform("Gramine's quote is bound to other data than asked")
        }
        return quote
    }
}
