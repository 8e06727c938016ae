import EthereumAdapter
import Foundation
import Primitives
import Testing

@Suite("RLP from outside")
struct RLPFuzzTests {
    @Test(.enabled(if: SharedData.exists("evm-tests/ethereum-tests-RLPTests.tar.xz")))
    func publicVectors() throws {
        var checked = 0
        for file in try SharedData.archive("ethereum-tests-RLPTests") {
            for member in try SharedData.json(file).object?.members ?? [] {
                let bytes = try #require(Hex.decode(member.value["out"]?.string ?? ""))
                let input = try #require(member.value["in"])
                if input.string == "INVALID" {
                    #expect(throws: RLPError.self, "\(member.name)") { try RLP.decode(bytes) }
                } else {
                    let item = try RLP.decode(bytes)
                    if input.string != "VALID" { #expect(Self.agrees(item, input), "\(member.name)") }
                }
                checked += 1
            }
        }
        #expect(checked > 40)
    }

    /// The vectors write integers as numbers or "#decimal".
    private static func agrees(_ item: RLPItem, _ json: JSON) -> Bool {
        switch json {
        case .array(let elements):
            guard let items = try? item.items(), items.count == elements.count else { return false }
            return zip(items, elements).allSatisfy { agrees($0, $1) }
        case .integer(let value): return (try? item.uint64()) == UInt64(value)
        case .string(let text):
            if text.hasPrefix("#") {
                guard let value = UInt256(decimal: text.dropFirst()) else {
                    // 2^256 itself is among them.
                    return (try? item.bytes()) == [1] + [UInt8](repeating: 0, count: 32)
                }
                return (try? item.uint256()) == value
            }
            return (try? item.bytes()) == Array(text.utf8)
        default: return false
        }
    }

    /// What decodes is canonical: writing it again gives the same bytes.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func whatDecodesIsCanonical(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<(SharedData.runsAll ? 200_000 : 5_000) {
            var writer = RLPWriter()
            Self.append(&writer, depth: 0, &random)
            var bytes = writer.bytes
            #expect(try Self.rewritten(RLP.decode(bytes)) == bytes)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                // Headers are where it can go wrong: low and high bytes are likelier than others.
                let headers: [UInt8] = [0, 0x7f, 0x80, 0x81, 0xb7, 0xb8, 0xbf, 0xc0, 0xc1, 0xf7, 0xf8, 0xff]
                bytes[place] = headers.randomElement(using: &random) ?? 0
            }
            if let item = try? RLP.decode(bytes) { #expect(try Self.rewritten(item) == bytes, "\(Hex.encode(bytes))") }
        }
    }

    private static func append(_ writer: inout RLPWriter, depth: Int, _ random: inout SeededGenerator) {
        if depth < 4, Int.random(in: 0..<3, using: &random) > 0 {
            writer.list { list in
                for _ in 0..<Int.random(in: 0...4, using: &random) { append(&list, depth: depth + 1, &random) }
            }
        } else {
            let length = [0, 1, 1, 2, 20, 32, 55, 56, 57, 255, 256, 300].randomElement(using: &random) ?? 0
            writer.bytes((0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
    }

    private static func rewritten(_ item: RLPItem) throws -> [UInt8] {
        var writer = RLPWriter()
        try write(item, to: &writer)
        return writer.bytes
    }

    private static func write(_ item: RLPItem, to writer: inout RLPWriter) throws {
        guard item.isList else { return writer.bytes(try item.bytes()) }
        let items = try item.items()
        try writer.list { list in
            for item in items { try write(item, to: &list) }
        }
    }
}
