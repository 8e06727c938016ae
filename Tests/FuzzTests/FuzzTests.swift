import Foundation
import FuzzTargets
import Testing

/// Every decoder on every input of `Fuzz/Corpus` and `Fuzz/Regressions`, without a fuzzer. `ENTENTE_REWRITE=1` writes the
/// seeds that our encoders make now into the corpus.
@Suite struct FuzzTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fuzz")

    static func inputs(_ kind: String, _ target: String) -> [(name: String, bytes: [UInt8])] {
        let place = folder.appending(path: kind).appending(path: target)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
        return names.sorted().compactMap { name in
            (try? Data(contentsOf: place.appending(path: name))).map { (name, [UInt8]($0)) }
        }
    }

    @Test("our encoders' messages are accepted", arguments: FuzzTarget.all.map(\.name))
    func seeds(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let place = Self.folder.appending(path: "Corpus").appending(path: name)
        for seed in try target.seeds() {
            #expect(target.run(seed.bytes) == .accepted, "\(name)/\(seed.name)")
            #expect(seed.bytes.count <= target.byteCountMax, "\(name)/\(seed.name)")
            guard ProcessInfo.processInfo.environment["ENTENTE_REWRITE"] != nil else { continue }
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            try Data(seed.bytes).write(to: place.appending(path: seed.name))
        }
    }

    @Test("the corpus breaks no promise", arguments: FuzzTarget.all.map(\.name))
    func corpus(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let inputs = try Self.inputs("Corpus", name) + target.seeds()
        #expect(!inputs.isEmpty)
        for input in inputs + Self.inputs("Regressions", name) {
            if case .finding(let reason) = target.run(input.bytes) { Issue.record("\(name)/\(input.name): \(reason)") }
        }
    }

    /// Bits flipped, bytes cut: what a fuzzer does first, in every run of the tests.
    @Test("damaged inputs break no promise", arguments: FuzzTarget.all.map(\.name))
    func damage(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        for input in Self.inputs("Corpus", name) where !input.bytes.isEmpty {
            for place in stride(from: 0, to: input.bytes.count, by: max(1, input.bytes.count / 24)) {
                var flipped = input.bytes
                flipped[place] ^= 1 << UInt8(place & 7)
                for damaged in [flipped, Array(input.bytes[..<place]), Array(input.bytes[place...])] {
                    if case .finding(let reason) = target.run(damaged) {
                        Issue.record("\(name)/\(input.name) damaged at \(place): \(reason)")
                    }
                }
            }
        }
    }

    @Test("no input lies where no target looks for it")
    func folders() throws {
        let names = Set(FuzzTarget.all.map(\.name))
        for kind in ["Corpus", "Regressions"] {
            for name in try FileManager.default.contentsOfDirectory(atPath: Self.folder.appending(path: kind).path) {
                #expect(names.contains(name), "\(kind)/\(name)")
            }
        }
    }
}
