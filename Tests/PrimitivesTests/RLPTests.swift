import Primitives
import Testing

@Suite struct RLPTests {
    @Test func encodesTheYellowPapersExamples() {
        var writer = RLPWriter()
        writer.bytes(Array("dog".utf8))
        writer.integer(0 as UInt64)
        writer.integer(15 as UInt64)
        writer.integer(1024 as UInt64)
        writer.list { list in
            list.list { _ in }
            list.bytes(Array("cat".utf8))
        }
        #expect(Hex.encode(writer.bytes) == "83646f67800f820400c5c083636174")
        let long = RLPWriter.list { $0.bytes([UInt8](repeating: 7, count: 60)) }
        #expect(Hex.encode(long.prefix(4)) == "f83eb83c")
    }

    @Test func roundTrips() throws {
        let message = RLPWriter.list { list in
            list.integer(UInt256.max)
            list.bytes(Address(number: 9))
            list.bytes(Bytes32.zero)
            list.list { inner in
                for i in 0..<100 { inner.integer(UInt64(i * i)) }
            }
        }
        let items = try RLP.decode(message).items(exactly: 4)
        #expect(try items[0].uint256() == .max)
        #expect(try items[1].address() == Address(number: 9))
        #expect(try items[2].bytes32() == .zero)
        #expect(try items[3].items().map { try $0.uint64() } == (0..<100).map { UInt64($0 * $0) })
        #expect(throws: RLPError.notList(at: 0)) { try items[0].items() }
        #expect(throws: RLPError.notBytes(at: 0)) { try items[3].bytes() }
        #expect(throws: RLPError.wrongSize(at: 0)) { try items[0].uint64() }
        #expect(throws: RLPError.leadingZero(at: 0)) { try items[2].uint256() }
    }

    @Test(arguments: [
        ("", RLPError.truncated(at: 0)), ("83646f", .truncated(at: 0)), ("8100", .nonCanonical(at: 0)),
        ("b801ff", .nonCanonical(at: 0)), ("b90001", .nonCanonical(at: 0)), ("c181", .truncated(at: 0)),
        ("c28100", .nonCanonical(at: 0)), ("0000", .trailing(at: 0)), ("bfffffffffffffffff", .truncated(at: 0)),
        ("ffffffffffffffffff", .truncated(at: 0)), ("c483646f67ff", .trailing(at: 0)),
    ])
    func refusesWhatIsNotCanonical(text: String, error: RLPError) throws {
        let bytes = try #require(Hex.decode(text))
        #expect(throws: error) { try RLP.decode(bytes) }
    }

    @Test func refusesDepthAndNumberOverTheLimits() {
        var nested: [UInt8] = []
        for _ in 0..<200 { nested = RLPWriter.list { $0.raw(nested) } }
        #expect(throws: RLPError.tooDeep(at: 0)) { try RLP.decode(nested) }
        #expect(throws: Never.self) { try RLP.decode(nested, depthMax: 200) }
        let wide = RLPWriter.list { $0.raw([UInt8](repeating: 1, count: 20)) }
        #expect(throws: RLPError.tooMany(at: 0)) { try RLP.decode(wide, itemsMax: 19) }
    }

    /// Random and damaged messages either decode, and then encode to the same bytes, or throw.
    @Test func fuzz() throws {
        var random = SplitMix(state: 11)
        let seed = RLPWriter.list { list in
            list.integer(UInt256.max)
            list.list { $0.bytes([UInt8](repeating: 3, count: 70)) }
            list.list { _ in }
        }
        var accepted = 0
        for i in 0..<60_000 {
            var bytes: [UInt8]
            if i % 2 == 0 {
                bytes = (0..<Int(random.next() % 12)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            } else {
                bytes = seed
                for _ in 0...Int(random.next() % 3) {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                }
            }
            guard let item = try? RLP.decode(bytes) else { continue }
            accepted += 1
            var writer = RLPWriter()
            try Self.write(item, to: &writer)
            #expect(writer.bytes == bytes)
        }
        #expect(accepted > 100)
    }

    static func write(_ item: RLPItem, to writer: inout RLPWriter) throws {
        guard item.isList else { return writer.bytes(try item.slice()) }
        try writer.list { inner in
            for child in try item.items() { try write(child, to: &inner) }
        }
    }
}
