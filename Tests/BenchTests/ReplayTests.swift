import Bench
import EthereumAdapter
import Foundation
import Primitives
import Testing
import Transport

/// The shared mainnet blocks; nil, and said so, when they are not there.
private let blocks: String? = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let data =
        ProcessInfo.processInfo.environment["ENTENTE_SHARED_DATA"]
        ?? root.deletingLastPathComponent().appending(path: "shared/data").path
    let path = data + "/mainnet"
    if FileManager.default.fileExists(atPath: path + "/blocks") { return path }
    print("skipped: \(path) is not there")
    return nil
}()

/// The text of a shared block.
private func text(_ number: Int) throws -> String {
    let packed = try #require(FileManager.default.contents(atPath: "\(blocks ?? "")/blocks/\(number).json.gz"))
    return String(decoding: try Gzip.inflate([UInt8](packed), limit: 64 << 20), as: UTF8.self)
}

private func verdict(_ text: String) throws -> ReplayVerdict {
    LocalReplay().run(try ReplayFile(name: "test", bytes: Array(text.utf8)))
}

/// A value of the expectations with another one in its place.
struct Alteration: Sendable, CustomTestStringConvertible {
    let path: [String]
    let value: JSON
    var testDescription: String { path.joined(separator: ".") }

    func apply(_ json: JSON) -> JSON { Self.replace(json, path[...], value) }

    private static func replace(_ json: JSON, _ path: ArraySlice<String>, _ value: JSON) -> JSON {
        guard let name = path.first else { return value }
        if let index = Int(name), var array = json.array {
            array[index] = replace(array[index], path.dropFirst(), value)
            return .array(array)
        }
        guard var object = json.object else { return json }
        for place in object.members.indices where object.members[place].name == name {
            object.members[place].value = replace(object.members[place].value, path.dropFirst(), value)
        }
        return .object(object)
    }
}

@Suite("Replay", .enabled(if: blocks != nil))
struct ReplayTests {
    @Test("blocks agree on the EVM alone", arguments: [46147, 1_150_000, 4_370_000])
    func agrees(number: Int) throws {
        let verdict = try verdict(text(number))
        #expect(verdict.agrees, "\(verdict.findings)")
        #expect(verdict.number == UInt64(number))
    }

    @Test(
        "an altered expectation is reported as a difference",
        arguments: [
            .init(path: ["expected", "gasUsed"], value: "0x5209"),
            .init(path: ["expected", "receipts", "0", "gasUsed"], value: "0x5207"),
            .init(
                path: ["expected", "partialPostStateRoot"], value: .string("0x" + String(repeating: "ab", count: 32))),
            .init(
                path: ["expected", "partialPreStateRoot"], value: .string("0x" + String(repeating: "ab", count: 32))),
            .init(path: ["expected", "postStateDiff"], value: [:]),
            .init(path: ["expected", "receipts"], value: []),
            .init(path: ["header", "logsBloom"], value: .string("0x01" + String(repeating: "00", count: 255))),
            .init(path: ["header", "gasUsed"], value: "0x1"),
            .init(path: ["hash"], value: .string("0x" + String(repeating: "00", count: 32))),
            .init(path: ["transactions", "0", "hash"], value: .string("0x" + String(repeating: "00", count: 32))),
            .init(path: ["transactions", "0", "from"], value: .string("0x" + String(repeating: "00", count: 20))),
        ] as [Alteration])
    func altered(alteration: Alteration) throws {
        let json = try JSON(parsing: Array(text(46147).utf8))
        let changed = alteration.apply(json)
        #expect(changed != json)
        let verdict = try verdict(String(decoding: changed.serialized(), as: UTF8.self))
        #expect(!verdict.agrees)
        var summary = ReplaySummary(place: "test")
        summary.add(verdict)
        #expect(summary.exitCode == 1)
        #expect(summary.text.contains("DIFFERS"))
        let told = summary.json["blocks"]?.array?.first?["differences"]?.array ?? []
        #expect(told.count > 0)
    }

    /// What a network answers for block 46147, made from the file's expectations.
    private func result(_ file: JSON) throws -> JSON {
        let transaction = try #require(file["transactions"]?.array?.first)
        let expected = try #require(file["expected"])
        return [
            "preStateRoot": expected["partialPreStateRoot"] ?? .null,
            "stateRoot": expected["partialPostStateRoot"] ?? .null,
            "postStateDiff": expected["postStateDiff"] ?? .null,
            "receipts": [
                [
                    "type": "0x0", "transactionHash": transaction["hash"] ?? .null,
                    "from": transaction["from"] ?? .null,
                    "cumulativeGasUsed": "0x5208", "gasUsed": "0x5208", "effectiveGasPrice": "0x2d79883d2000",
                    "logs": [], "root": .string("0x" + String(repeating: "00", count: 32)),
                ]
            ],
        ]
    }

    @Test("a network's result is compared in every part")
    func networkResult() throws {
        let source = try text(46147)
        let json = try JSON(parsing: Array(source.utf8))
        let file = try ReplayFile(name: "46147", bytes: Array(source.utf8))
        let good = try result(json)
        #expect(NetworkReplay.compare(good, with: file.replay) == [])
        #expect(file.replay.checkStatements() == [])
        for alteration in [
            Alteration(path: ["stateRoot"], value: .string("0x" + String(repeating: "ab", count: 32))),
            Alteration(path: ["receipts", "0", "gasUsed"], value: "0x1"),
            Alteration(path: ["receipts", "0", "from"], value: .string("0x" + String(repeating: "11", count: 20))),
            Alteration(path: ["receipts", "0", "cumulativeGasUsed"], value: "0x1"),
            Alteration(path: ["receipts"], value: []), Alteration(path: ["postStateDiff"], value: [:]),
            Alteration(path: ["postStateDiff"], value: "nonsense"),
        ] {
            let findings = NetworkReplay.compare(alteration.apply(good), with: file.replay)
            #expect(!findings.isEmpty, "\(alteration.path)")
        }
    }

    @Test("the folder's files come by block number")
    func order() throws {
        let paths = try ReplayFolder(blocks ?? "").paths
        #expect(paths.count > 10)
        let numbers = paths.compactMap { Int($0.split(separator: "/").last?.prefix { $0 != "." } ?? "") }
        #expect(numbers == numbers.sorted())
        #expect(try ReplayFolder((blocks ?? "") + "/blocks").paths.count == paths.count)
        #expect(try ReplayFolder(paths[0]).paths == [paths[0]])
    }
}

@Suite("Replay input")
struct ReplayInputTests {
    @Test("what is no block is refused with its name")
    func unusable() throws {
        for bytes in [[], Array("{}".utf8), Array("nonsense".utf8), [0x1f, 0x8b, 1, 2]] as [[UInt8]] {
            #expect(throws: BenchError.input("")) { try ReplayFile(name: "bad.json", bytes: bytes) }
        }
        #expect(throws: BenchError.input("")) { try ReplayFolder.read("/nowhere/1.json") }
    }

    @Test("a folder without blocks, or none at all, is refused")
    func folders() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "replay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(throws: BenchError.input("")) { try ReplayFolder(folder.path) }
        #expect(throws: BenchError.input("")) { try ReplayFolder(folder.path + "/missing") }
        try Data().write(to: folder.appending(path: "2.json"))
        try Data().write(to: folder.appending(path: "10.json.gz"))
        try Data().write(to: folder.appending(path: "README.md"))
        let names = try ReplayFolder(folder.path).paths.map { $0.split(separator: "/").last.map(String.init) }
        #expect(names == ["2.json", "10.json.gz"])
    }

    @Test("exit codes: nothing to compare is not success")
    func exitCodes() {
        var summary = ReplaySummary(place: "test")
        #expect(summary.exitCode == 2)
        summary.add(unusable: "x.json", reason: "x.json: not JSON")
        #expect(summary.exitCode == 2)
        #expect(summary.text.contains("x.json: not JSON"))
    }

    @Test("endpoints are host and port")
    func endpoints() throws {
        let endpoint = try HTTPEndpoint(parsing: "127.0.0.1:8545")
        #expect(endpoint.host == "127.0.0.1" && endpoint.port == 8545)
        #expect(try HTTPEndpoint(parsing: "[::1]:80").host == "::1")
        for text in ["", "host", "host:", ":80", "host:0", "host:70000", "host:x"] {
            #expect(throws: BenchError.setup("")) { try HTTPEndpoint(parsing: text) }
        }
    }

    @Test("settings out of range are refused")
    func settings() throws {
        let key = [UInt8](repeating: 1, count: 32)
        try BenchSettings(funderKey: key, seed: 1).check()
        #expect(throws: BenchError.setup("")) { try BenchSettings(funderKey: [], seed: 1).check() }
        for change in [
            { $0.clients = 0 }, { $0.seconds = 0 }, { $0.batch = 5000 }, { $0.rate = -1 }, { $0.accounts = 1 },
            { $0.watchInterval = 0 }, { $0.connections = 0 }, { $0.seconds = .nan },
        ] as [(inout BenchSettings) -> Void] {
            var settings = BenchSettings(funderKey: key, seed: 1)
            change(&settings)
            #expect(throws: BenchError.setup("")) { try settings.check() }
        }
    }
}
