internal import Glibc

/// The kernel's reports on a confidential VM (Linux 6.7 and later: Documentation/ABI/testing/configfs-tsm-report).
///
/// Each request is a folder of its own, so that requests of others can't come between: make the folder, write the report
/// data to `inblob`, read `outblob`. `generation` counts writes and tells if someone wrote to the folder meanwhile.
public struct ConfigFSDevice: EvidenceDevice {
    /// Where the kernel has it.
    public static let standardPath = "/sys/kernel/config/tsm/report"
    /// A report, quote or table of certificates over this size is refused.
    public static let blobByteCountMax = 1 << 16
    /// Tries of a request before it fails.
    static let triesMax = 5

    /// The platform: `sev-snp` or `tdx`.
    public let platform: String
    private let path: String
    private let pause: @Sendable () -> Void
    private let prepare: @Sendable (String) -> Void

    /// The device in a folder.
    /// - Parameters:
    ///   - path: where reports are made.
    ///   - pause: waits between tries; a fifth of a second if not given.
    ///   - prepare: called with each new folder; tests lay out there what the kernel would.
    /// - Throws: ``HostError`` when the kernel has no provider, or one that is not known.
    public init(
        path: String = Self.standardPath, pause: (@Sendable () -> Void)? = nil,
        prepare: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(HostError) {
        self.path = path
        self.pause = pause ?? { usleep(200_000) }
        self.prepare = prepare
        let folder = try Self.makeFolder(in: path, prepare)
        defer { rmdir(folder) }
        let provider = try AttributeFile.text(folder + "/provider")
        switch provider {
        case "sev_guest": platform = "sev-snp"
        case "tdx_guest": platform = "tdx"
        default: throw .unavailable("the kernel's report provider \(provider) is not known")
        }
    }

    /// The report or quote; on `sev-snp` with the host's table of certificates after it, if there is one.
    /// - Throws: ``HostError``: also when the report is bound to other bytes, which a host could have slipped in.
    public func evidence(reportData: [UInt8]) throws(HostError) -> [UInt8] {
        guard reportData.count == 64 else { throw .platform("report data have 64 bytes") }
        var last = HostError.platform("no try was made")
        for attempt in 0..<Self.triesMax {
            if attempt > 0 { pause() }
            do throws(HostError) {
                let bytes = try request(reportData)
                guard Self.reportData(in: bytes, platform) == reportData else {
                    throw .platform("the kernel's report is bound to other data than asked")
                }
                return bytes
            } catch {
                last = error
                guard Self.isPassing(error) else { throw error }
            }
        }
        throw last
    }

    private func request(_ reportData: [UInt8]) throws(HostError) -> [UInt8] {
        let folder = try Self.makeFolder(in: path, prepare)
        defer { rmdir(folder) }
        let before = try generation(folder)
        try AttributeFile.write(folder + "/inblob", reportData)
        let report = try AttributeFile.read(folder + "/outblob", limit: Self.blobByteCountMax)
        let table =
            platform == "sev-snp" && access(folder + "/auxblob", F_OK) == 0
            ? try AttributeFile.read(folder + "/auxblob", limit: Self.blobByteCountMax) : []
        guard try generation(folder) == before &+ 1 else { throw Self.raced }
        return report + table
    }

    private func generation(_ folder: String) throws(HostError) -> UInt64 {
        let text = try AttributeFile.text(folder + "/generation")
        guard let number = UInt64(text) else { throw .corrupt("generation is no number: \(text.prefix(20))") }
        return number
    }

    private static let raced = HostError.system("someone else wrote to the report's folder", EAGAIN)

    /// Whether another try may succeed: the firmware is throttled or busy, the host's quoting service slow, the folder
    /// raced for.
    private static func isPassing(_ error: HostError) -> Bool {
        [EAGAIN, EBUSY, EINTR, EIO, ETIMEDOUT].contains(error.errorNumber)
    }

    private static func makeFolder(
        in path: String, _ prepare: (String) -> Void
    ) throws(HostError) -> String {
        let name = HostRandom.bytes(8).map { String($0, radix: 16) }.joined()
        let folder = "\(path)/entente-\(getpid())-\(name)"
        guard mkdir(folder, 0o700) == 0 else {
            // The kernel says ENXIO where the machine is no confidential VM.
            if errno == ENXIO || errno == ENOENT { throw .unavailable("\(path) gives no reports on this machine") }
            throw .system("making \(folder)")
        }
        prepare(folder)
        return folder
    }

    /// The report data inside a report or quote, by the fixed places of their forms; nil when it is too short.
    static func reportData(in bytes: [UInt8], _ platform: String) -> [UInt8]? {
        let offset: Int
        if platform == "sev-snp" {
            offset = 0x50
        } else {
            // Quote version 4 has the body after the header of 48 bytes, version 5 after type and size too; the report
            // data are at 520 in it.
            guard let version = bytes.first else { return nil }
            offset = (version == 5 ? 54 : 48) + 520
        }
        guard bytes.count >= offset + 64 else { return nil }
        return Array(bytes[offset..<offset + 64])
    }
}
