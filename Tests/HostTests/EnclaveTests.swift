import Crypto
import Glibc
import Host
import Testing

@Suite struct EnclaveTests {
    @Test func evidenceHasTheDocumentedForm() throws {
        let platform = SoftwarePlatform()
        let (measurement, reportData) = ([UInt8](repeating: 3, count: 32), [UInt8](repeating: 4, count: 64))
        let bytes = try platform.evidence(measurement: measurement, reportData: reportData)
        #expect(bytes.count == 226)
        #expect(Array(bytes[..<1]) == [1])
        #expect(Array(bytes[1..<33]) == measurement)
        #expect(Array(bytes[33..<97]) == reportData)
        #expect(Array(bytes[97..<162]) == platform.publicKey)
        let key = try P256.Signing.PublicKey(x963Representation: bytes[97..<162])
        let signature = try P256.Signing.ECDSASignature(rawRepresentation: bytes[162...])
        #expect(key.isValidSignature(signature, for: SHA256.hash(data: bytes[..<162])))
        #expect(throws: HostError.self) { _ = try platform.evidence(measurement: [1], reportData: reportData) }
        #expect(throws: HostError.self) { _ = try platform.evidence(measurement: measurement, reportData: []) }
    }

    @Test func platformIsKept() throws {
        let folder = try TemporaryFolder()
        let directory = try folder.directory()
        let first = try SoftwarePlatform(directory: directory)
        let again = try SoftwarePlatform(directory: directory)
        #expect(first.publicKey == again.publicKey)
        let (one, two) = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 32))
        #expect(first.sealingKey(measurement: one, label: "a") == again.sealingKey(measurement: one, label: "a"))
        #expect(first.sealingKey(measurement: one, label: "a") != first.sealingKey(measurement: one, label: "b"))
        #expect(first.sealingKey(measurement: one, label: "a") != first.sealingKey(measurement: two, label: "a"))
        #expect(first.sealingKey(measurement: one, label: "a").count == 32)
        var status = stat()
        stat("\(folder.path)/platform.key", &status)
        #expect(status.st_mode & 0o777 == 0o600)
        for bytes: [UInt8] in [[], [1], [UInt8](repeating: 0, count: 65), [1] + [UInt8](repeating: 0xff, count: 64)] {
            try directory.replace("platform.key", with: bytes)
            #expect(throws: HostError.corrupt("")) { _ = try SoftwarePlatform(directory: directory) }
        }
    }

    @Test func measurementFollowsContentNotPlace() throws {
        let folder = try TemporaryFolder()
        let directory = try folder.directory()
        let original = try Measurement.take(path: "/bin/true").measurement
        #expect(original.digest.count == 32)
        #expect(original.libraries.contains { $0.name == "libc.so.6" })
        #expect(original.libraries.contains { $0.name.hasPrefix("ld-linux") })
        #expect(original.libraries.map(\.name) == original.libraries.map(\.name).sorted())
        #expect(
            Measurement.digest(
                executable: original.executable.digest, libraries: original.libraries.map { ($0.name, $0.digest) })
                == original.digest)
        var bytes = try Directory(path: "/bin").open("true").read(at: 0, count: 1 << 22)
        try directory.replace("copy", with: bytes)
        #expect(try Measurement.take(path: "\(folder.path)/copy").measurement.digest == original.digest)
        bytes[bytes.count - 1] ^= 1
        try directory.replace("copy", with: bytes)
        #expect(try Measurement.take(path: "\(folder.path)/copy").measurement.digest != original.digest)
    }

    @Test func ownExecutableIsMeasuredWithItsLibraries() throws {
        let measurement = try Measurement.take(path: Probe.path()).measurement
        #expect(measurement.libraries.contains { $0.name == "libc.so.6" })
    }

    @Test func damagedExecutablesAreRefused() throws {
        let folder = try TemporaryFolder()
        let directory = try folder.directory()
        let bytes = try Directory(path: "/bin").open("true").read(at: 0, count: 1 << 22)
        var random = TestRandom(state: 7)
        for round in 0..<300 {
            var damaged = bytes
            for _ in 0..<8 {
                damaged[Int.random(in: 0..<1024, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if round.isMultiple(of: 3) { damaged.removeLast(Int.random(in: 1..<damaged.count, using: &random)) }
            try directory.open("damaged", create: true).truncate(to: 0)
            try directory.open("damaged", create: true).write(damaged, at: 0)
            _ = try? ELFFile(directory.open("damaged"))
        }
        for text in ["", "#!/bin/sh\n", "\u{7f}ELF"] {
            try directory.replace("damaged", with: Array(text.utf8))
            #expect(throws: HostError.corrupt("")) { _ = try Measurement.take(path: "\(folder.path)/damaged") }
        }
        #expect(throws: HostError.system("", ENOENT)) { _ = try Measurement.take(path: "\(folder.path)/none") }
    }
}
