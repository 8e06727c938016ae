import Foundation
import Primitives

/// The data beside the package: `../shared/data`, or what ENTENTE_SHARED_DATA names. Tests that need it are skipped
/// where it isn't there.
enum SharedData {
    static let root: URL = {
        if let named = ProcessInfo.processInfo.environment["ENTENTE_SHARED_DATA"] {
            return URL(fileURLWithPath: named)
        }
        return URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("../../../../shared/data").standardizedFileURL
    }()

    /// Whether the whole of the public suites is to run, not a sample.
    static let runsAll = ProcessInfo.processInfo.environment["ENTENTE_FULL_TESTS"] == "1"

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    /// The JSON files of an archive in `evm-tests`, unpacked once per process, in the order of their paths.
    static func archive(_ name: String) throws -> [URL] {
        let target = FileManager.default.temporaryDirectory.appendingPathComponent(
            "entente-tests-\(ProcessInfo.processInfo.processIdentifier)-\(name)")
        if !FileManager.default.fileExists(atPath: target.path) {
            try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
            let tar = Process()
            tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            tar.arguments = [
                "tar", "xf", root.appendingPathComponent("evm-tests/\(name).tar.xz").path, "-C", target.path,
            ]
            try tar.run()
            tar.waitUntilExit()
            guard tar.terminationStatus == 0 else { throw Failure(text: "tar can't unpack \(name)") }
        }
        let paths = FileManager.default.enumerator(atPath: target.path)?.compactMap { $0 as? String } ?? []
        return paths.filter { $0.hasSuffix(".json") }.sorted().map { target.appendingPathComponent($0) }
    }

    static func json(_ file: URL) throws -> JSON {
        try JSON(parsing: Array(Data(contentsOf: file)), limits: .init(bytesMax: 64 << 20, valuesMax: 8 << 20))
    }

    struct Failure: Error {
        var text: String
    }
}

/// A small repeatable generator (SplitMix64), so that a failure names its seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
