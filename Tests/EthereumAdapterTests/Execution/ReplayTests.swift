import EthereumAdapter
import Foundation
import Primitives
import Testing

@Suite("Replay of mainnet blocks", .enabled(if: SharedData.exists("mainnet/blocks")))
struct ReplayTests {
    static let files: [URL] = {
        let folder = SharedData.root.appendingPathComponent("mainnet/blocks")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".json.gz") }.sorted().map { folder.appendingPathComponent($0) }
    }()

    static func bytes(_ block: Int) throws -> [UInt8] {
        try Array(Data(contentsOf: SharedData.root.appendingPathComponent("mainnet/blocks/\(block).json.gz")))
    }

    @Test(arguments: files)
    func agrees(file: URL) throws {
        let report = try ReplayRunner(now: { 0 }).run(file: Array(Data(contentsOf: file)))
        #expect(report.agrees, "\(report.number): \(report.differences.prefix(5))")
        #expect(report.transactions > 0)
    }

    /// Each expectation, altered on its own, is reported; so is an altered input.
    @Test func alteredExpectationsAreReported() throws {
        let text = try Gzip.inflate(Self.bytes(19_933_122), limit: ReplayCase.bytesMax)
        let original = try JSON(parsing: text, limits: .init(bytesMax: 1 << 30, valuesMax: 8 << 20))
        let runner = ReplayRunner(now: { 0 })
        #expect(try runner.run(file: original.serialized()).agrees)
        let log: [Step] = ["expected", "receipts", .at(1), "logs", .at(0)]
        let transaction: [Step] = ["transactions", .at(0)]
        let cases: [(path: [Step], subject: String)] = [
            (["hash"], "hash"), (["headerRLP"], "hash"), (["header", "gasUsed"], "header.gasUsed"),
            (["header", "logsBloom"], "header.logsBloom"), (["header", "receiptsRoot"], "header.receiptsRoot"),
            (["header", "transactionsRoot"], "header.transactionsRoot"),
            (["header", "withdrawalsRoot"], "header.withdrawalsRoot"), (["header", "stateRoot"], "header"),
            (["header", "blobGasUsed"], "header.blobGasUsed"),
            (transaction + ["hash"], "transactions[0].hash"), (transaction + ["from"], "transactions[0].from"),
            (transaction + ["type"], "transactions[0].type"),
            (["expected", "gasUsed"], "gasUsed"), (["expected", "receipts", .at(0), "gasUsed"], "receipts[0].gasUsed"),
            (["expected", "receipts", .at(0), "status"], "receipts[0].status"),
            (log + ["address"], "receipts[1].logs[0]"), (log + ["topics", .at(0)], "receipts[1].logs[0]"),
            (log + ["data"], "receipts[1].logs[0]"),
            (["expected", "partialPreStateRoot"], "partialPreStateRoot"),
            (["expected", "partialPostStateRoot"], "partialPostStateRoot"),
            (["expected", "receiptsRootChecked"], "receiptsRootChecked"),
            (["expected", "postStateDiff", .first, "balance"], "postStateDiff"),
            (["fork"], "fork"),
        ]
        for (path, subject) in cases {
            let altered = try #require(original.altering(path), "\(path)")
            let report = try runner.run(file: altered.serialized())
            #expect(
                report.differences.contains { $0.subject.hasPrefix(subject) },
                "\(path): \(report.differences.prefix(3))")
        }
        // The world before: an account's balance.
        let altered = try #require(original.altering(["preState", .first, "balance"]))
        #expect(try !runner.run(file: altered.serialized()).agrees)
    }

    /// A part left out is an error that says which, or a difference; nothing traps.
    @Test func missingPartsAreNamed() throws {
        let text = try Gzip.inflate(Self.bytes(46_147), limit: ReplayCase.bytesMax)
        let original = try JSON(parsing: text)
        let runner = ReplayRunner(now: { 0 })
        for member in original.object?.members ?? [] where !["network", "ommerHashes"].contains(member.name) {
            var object = try #require(original.object)
            object.members.removeAll { $0.name == member.name }
            #expect(throws: CaseFileError.self, "\(member.name)") {
                try runner.run(file: JSON.object(object).serialized())
            }
            object.append(member.name, .string("nonsense"))
            #expect(throws: CaseFileError.self, "\(member.name)") {
                try runner.run(file: JSON.object(object).serialized())
            }
        }
        #expect(throws: CaseFileError.self) { try runner.run(file: []) }
        #expect(throws: CaseFileError.self) { try runner.run(file: [0x1f, 0x8b]) }
    }

    @Test func damagedFilesNeverTrap() throws {
        var random = SeededGenerator(seed: 3)
        let packed = try Self.bytes(2_675_000)
        let text = try Gzip.inflate(packed, limit: ReplayCase.bytesMax)
        let runner = ReplayRunner(now: { 0 })
        for round in 0..<(SharedData.runsAll ? 3_000 : 60) {
            var bytes = round % 6 == 0 ? packed : text
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0x20...0x7e, using: &random)
            }
            if let report = try? runner.run(file: bytes) { _ = report.differences.count }
        }
        #expect(throws: Gzip.Failure.truncated) {
            try Gzip.inflate(Array(packed.prefix(packed.count / 2)), limit: 1 << 30)
        }
        #expect(throws: Gzip.Failure.tooLarge(limit: 1000)) { try Gzip.inflate(packed, limit: 1000) }
    }
}

/// A step into a JSON value.
enum Step: ExpressibleByStringLiteral, CustomStringConvertible {
    case name(String)
    case at(Int)
    /// The first member whose value has what the next step names.
    case first

    init(stringLiteral value: String) { self = .name(value) }

    var description: String {
        switch self {
        case .name(let name): name
        case .at(let index): "[\(index)]"
        case .first: "(first)"
        }
    }
}

extension JSON {
    /// A copy with the value at a path changed a little, within its own format.
    func altering(_ path: some Collection<Step>) -> JSON? {
        guard let step = path.first else { return altered }
        let rest = path.dropFirst()
        switch (self, step) {
        case (.array(var elements), .at(let index)) where elements.indices.contains(index):
            guard let changed = elements[index].altering(rest) else { return nil }
            elements[index] = changed
            return .array(elements)
        case (.object(var object), .name(let name)):
            guard let index = object.members.firstIndex(where: { $0.name == name }),
                let changed = object.members[index].value.altering(rest)
            else { return nil }
            object.members[index].value = changed
            return .object(object)
        case (.object(var object), .first):
            for index in object.members.indices {
                guard let changed = object.members[index].value.altering(rest) else { continue }
                object.members[index].value = changed
                return .object(object)
            }
            return nil
        default: return nil
        }
    }

    private var altered: JSON {
        switch self {
        case .bool(let value): return .bool(!value)
        case .integer(let value): return .integer(value == 0 ? 1 : value - 1)
        case .string("Cancun"): return .string("Shanghai")
        case .string(let text):
            var digits = Array(text.utf8)
            digits[digits.count - 1] = digits.last == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
            return .string(String(decoding: digits, as: UTF8.self))
        default: return self
        }
    }
}
