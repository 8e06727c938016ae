internal import Glibc

/// Something that vouches for the code that asks it: a TEE platform as software inside sees it.
public protocol EvidenceDevice: Sendable {
    /// Name of the platform whose evidence it gives: `sev-snp`, `tdx`, `sgx`.
    var platform: String { get }

    /// Evidence that is bound to these 64 bytes, in the platform's form. Blocks, on some machines for seconds.
    /// - Throws: ``HostError``.
    func evidence(reportData: [UInt8]) throws(HostError) -> [UInt8]
}

/// The `software` platform vouching for one process.
public struct SoftwareDevice: EvidenceDevice {
    private let software: SoftwarePlatform
    private let measurement: [UInt8]

    /// `software`.
    public var platform: String { "software" }

    /// A device for a process of this measurement, 32 bytes.
    public init(_ software: SoftwarePlatform, measurement: [UInt8]) {
        self.software = software
        self.measurement = measurement
    }

    /// Evidence by the platform's key.
    /// - Throws: ``HostError``.
    public func evidence(reportData: [UInt8]) throws(HostError) -> [UInt8] {
        try software.evidence(measurement: measurement, reportData: reportData)
    }
}

/// The device of this machine.
public enum EvidenceDevices {
    /// The first device that is there: Gramine's, else the kernel's.
    /// - Parameters:
    ///   - gramine: Gramine's folder.
    ///   - configfs: the kernel's folder for reports.
    /// - Throws: ``HostError`` when there is none.
    public static func find(
        gramine: String = GramineDevice.standardPath, configfs: String = ConfigFSDevice.standardPath
    ) throws(HostError) -> any EvidenceDevice {
        if access(gramine, F_OK) == 0 { return try GramineDevice(path: gramine) }
        if access(configfs, F_OK) == 0 { return try ConfigFSDevice(path: configfs) }
        throw .unavailable("no TEE device: neither \(gramine) nor \(configfs) is there")
    }
}

/// Single reads and writes of attribute files, whose every read or write is an act of its own.
enum AttributeFile {
    /// All that one reading of the file gives.
    static func read(_ path: String, limit: Int) throws(HostError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("opening \(path)") }
        defer { Descriptor.close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let got = Glibc.read(descriptor, &part, part.count)
            if got == 0 { return bytes }
            if got < 0 {
                guard errno == EINTR else { throw .system("reading \(path)") }
                continue
            }
            bytes += part[..<got]
            guard bytes.count <= limit else { throw .tooLarge("\(path) is over \(limit) bytes") }
        }
    }

    /// The file's text without the line's end.
    static func text(_ path: String) throws(HostError) -> String {
        let bytes = try read(path, limit: 4096)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .corrupt("\(path) is no text") }
        return String(text.reversed().drop(while: \.isWhitespace).reversed())
    }

    /// Writes `bytes` in one call.
    static func write(_ path: String, _ bytes: [UInt8]) throws(HostError) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("opening \(path)") }
        defer { Descriptor.close(descriptor) }
        let put = Glibc.write(descriptor, bytes, bytes.count)
        guard put >= 0 else { throw .system("writing \(path)") }
        guard put == bytes.count else { throw .platform("\(path) took \(put) of \(bytes.count) bytes") }
    }
}
