import Glibc
import Host
import Synchronization
import Testing

/// Writes a whole file of a test.
private func put(_ path: String, _ bytes: [UInt8]) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    _ = write(descriptor, bytes, bytes.count)
    close(descriptor)
}

private func put(_ path: String, _ text: String) { put(path, Array(text.utf8)) }

private func get(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = read(descriptor, &part, part.count)
        guard count > 0 else { return bytes }
        bytes += part[..<count]
    }
}

/// What a kernel's report folder does, in a plain folder: `inblob` and `outblob` are pipes with a thread at the other end.
private final class FakeKernel: Sendable {
    /// What is wrong with a request.
    enum Fault {
        case none
        /// Someone else writes to the folder too.
        case raced
        /// The report is bound to other data.
        case otherData
        /// The report ends early.
        case short
        /// More than a report can be.
        case huge
        /// `generation` is no number.
        case garbled
    }

    let provider: String
    let table: [UInt8]?
    private let faults: Mutex<[Fault]>
    private let count = Mutex(0)
    private let threads = Mutex<[HostThread]>([])

    /// The first request meets the first fault, and so on; after the last all is well.
    init(provider: String, table: [UInt8]? = nil, faults: [Fault] = []) {
        self.provider = provider
        self.table = table
        self.faults = Mutex(faults)
    }

    var requestCount: Int { count.withLock { $0 - 1 } }

    func layOut(_ folder: String) {
        put(folder + "/provider", provider + "\n")
        put(folder + "/generation", "1\n")
        if let table { put(folder + "/auxblob", table) }
        let isFirst = count.withLock { count -> Bool in
            count += 1
            return count == 1
        }
        // The first folder only asks for the provider.
        if isFirst { return }
        let fault = faults.withLock { $0.isEmpty ? .none : $0.removeFirst() }
        mkfifo(folder + "/inblob", 0o600)
        mkfifo(folder + "/outblob", 0o600)
        if fault == .garbled { return put(folder + "/generation", "many\n") }
        let offset = provider == "sev_guest" ? 0x50 : 568
        let thread = try? HostThread.start("fake-kernel") {
            let reportData = get(folder + "/inblob")
            put(folder + "/generation", fault == .raced ? "3\n" : "2\n")
            var report = [UInt8](repeating: 0, count: fault == .huge ? 1 << 17 : 1184)
            report[0] = 4
            report.replaceSubrange(offset..<offset + 64, with: reportData)
            if fault == .otherData { report[offset] ^= 1 }
            if fault == .short { report = Array(report.prefix(100)) }
            signal(SIGPIPE, SIG_IGN)
            put(folder + "/outblob", report)
        }
        if let thread { threads.withLock { $0.append(thread) } }
    }

    func finish() { threads.withLock { for thread in $0 { thread.join() } } }
}

@Suite("TEE devices")
struct EvidenceDeviceTests {
    private let data: [UInt8] = (0..<64).map { UInt8($0) ^ 0x5A }

    private func device(_ kernel: FakeKernel, in folder: TemporaryFolder) throws -> ConfigFSDevice {
        // The device keeps the folder for as long as it lives.
        try ConfigFSDevice(
            path: folder.path, pause: {}, prepare: { path in withExtendedLifetime(folder) { kernel.layOut(path) } })
    }

    @Test("the kernel's report comes with the host's certificates", arguments: [nil, [UInt8](repeating: 9, count: 48)])
    func report(table: [UInt8]?) throws {
        let folder = try TemporaryFolder()
        let kernel = FakeKernel(provider: "sev_guest", table: table)
        let device = try device(kernel, in: folder)
        #expect(device.platform == "sev-snp")
        let evidence = try device.evidence(reportData: data)
        #expect(evidence.count == 1184 + (table?.count ?? 0) && Array(evidence[0x50..<0x90]) == data)
        #expect(Array(evidence.dropFirst(1184)) == table ?? [])
        kernel.finish()
    }

    @Test("a TD has no certificates of the host")
    func trustDomain() throws {
        let folder = try TemporaryFolder()
        let kernel = FakeKernel(provider: "tdx_guest", table: [1, 2, 3])
        let device = try device(kernel, in: folder)
        #expect(device.platform == "tdx")
        #expect(try device.evidence(reportData: data).count == 1184)
        kernel.finish()
    }

    @Test("a request that another came between is made again, a few times")
    func race() throws {
        let folder = try TemporaryFolder()
        let kernel = FakeKernel(provider: "sev_guest", faults: [.raced, .raced])
        #expect(try device(kernel, in: folder).evidence(reportData: data).count == 1184)
        #expect(kernel.requestCount == 3)
        kernel.finish()
        let always = FakeKernel(provider: "sev_guest", faults: [FakeKernel.Fault](repeating: .raced, count: 20))
        #expect(throws: HostError.system("", EAGAIN)) {
            try device(always, in: try TemporaryFolder()).evidence(reportData: data)
        }
        #expect(always.requestCount == 5)
        always.finish()
    }

    @Test("a report that is not for these data, or no report, is an error")
    func faults() throws {
        let cases: [(FakeKernel.Fault, HostError)] = [
            (.otherData, .platform("")), (.short, .platform("")), (.huge, .tooLarge("")), (.garbled, .corrupt("")),
        ]
        for (fault, expected) in cases {
            let folder = try TemporaryFolder()
            let kernel = FakeKernel(provider: "sev_guest", faults: [fault])
            let device = try device(kernel, in: folder)
            #expect(throws: expected, "\(fault)") { try device.evidence(reportData: data) }
            kernel.finish()
        }
        let folder = try TemporaryFolder()
        let device = try device(FakeKernel(provider: "sev_guest"), in: folder)
        #expect(throws: HostError.platform("")) { try device.evidence(reportData: [1]) }
    }

    @Test("a captured report can't pass for a fresh one")
    func replay() throws {
        let folder = try TemporaryFolder()
        let device = try ConfigFSDevice(path: folder.path, pause: {}) { folder in
            put(folder + "/provider", "sev_guest\n")
            put(folder + "/generation", "1\n")
            put(folder + "/inblob", "")
            put(folder + "/outblob", [UInt8](repeating: 0, count: 1184))
        }
        // Nothing moves on in a plain folder, so it looks as if the write had not come.
        #expect(throws: HostError.system("", EAGAIN)) { try device.evidence(reportData: data) }
    }

    @Test("a machine without a TEE says so")
    func none() throws {
        let folder = try TemporaryFolder()
        #expect(throws: HostError.unavailable("")) { try ConfigFSDevice(path: folder.path + "/missing") }
        #expect(throws: HostError.unavailable("")) {
            try ConfigFSDevice(path: folder.path, pause: {}) { put($0 + "/provider", "other_guest\n") }
        }
        #expect(throws: HostError.unavailable("")) {
            try EvidenceDevices.find(gramine: folder.path + "/a", configfs: folder.path + "/b")
        }
    }

    @Test("the software platform is a device like the others")
    func software() throws {
        let device: any EvidenceDevice = SoftwareDevice(
            SoftwarePlatform(), measurement: [UInt8](repeating: 4, count: 32))
        let evidence = try device.evidence(reportData: data)
        #expect(device.platform == "software" && evidence.count == 226 && Array(evidence[33..<97]) == data)
        #expect(throws: HostError.platform("")) { try device.evidence(reportData: [1]) }
    }

    @Test("Gramine's quote is read after the report data are written")
    func gramine() throws {
        let folder = try TemporaryFolder()
        put(folder.path + "/attestation_type", "dcap\n")
        put(folder.path + "/user_report_data", [UInt8](repeating: 0, count: 64))
        var quote = [UInt8](repeating: 0, count: 600)
        quote.replaceSubrange(368..<432, with: data)
        put(folder.path + "/quote", quote)
        let device = try EvidenceDevices.find(gramine: folder.path, configfs: folder.path + "/none")
        #expect(device.platform == "sgx")
        #expect(try device.evidence(reportData: data) == quote)
        #expect(get(folder.path + "/user_report_data") == data)
        #expect(throws: HostError.platform("")) { try device.evidence(reportData: [UInt8](repeating: 1, count: 64)) }
        #expect(throws: HostError.platform("")) { try device.evidence(reportData: []) }
        put(folder.path + "/quote", Array(quote.prefix(300)))
        #expect(throws: HostError.platform("")) { try device.evidence(reportData: data) }
        put(folder.path + "/attestation_type", "none\n")
        #expect(throws: HostError.unavailable("")) { try GramineDevice(path: folder.path) }
    }

    @Test("a cache's files come sorted, links are not followed, limits hold")
    func tree() throws {
        let folder = try TemporaryFolder()
        let directory = try folder.directory()
        _ = try directory.folder("b", create: true)
        put(folder.path + "/b/one", "1")
        put(folder.path + "/a", "22")
        symlink("/etc/passwd", folder.path + "/link")
        let files = try FolderTree.read(folder.path, limit: 10)
        #expect(files.map(\.path) == ["a", "b/one"] && files.map(\.bytes.count) == [2, 1])
        #expect(throws: HostError.tooLarge("")) { try FolderTree.read(folder.path, limit: 1) }
    }
}
