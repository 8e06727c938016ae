import Primitives

extension FuzzTarget {
    static let primitives: [FuzzTarget] = [json, rlp, cbor, texts]

    static let json = FuzzTarget("json") {
        [
            ("all", Array(#"{"a":[1,-2,3.5e1,true,false,null,"x\u00e9\ud83d\ude00\n"],"b":{"":{}},"c":0}"#.utf8)),
            ("numbers", Array("[9223372036854775807,-9223372036854775808,1e300,-0.0,1E-7]".utf8)),
            ("top", Array("\"text\"".utf8)),
        ]
    } check: { bytes in
        let value = try JSON(parsing: bytes)
        try FuzzFinding.unlessStable(value.serialized(), "json") { try JSON(parsing: $0).serialized() }
        let again = try JSON(parsing: value.serialized())
        guard again == value else { throw FuzzFinding("json: another value after writing and reading") }
    }

    static let rlp = FuzzTarget("rlp") {
        let nested = RLPWriter.list { list in
            list.bytes([])
            list.integer(1024 as UInt64)
            list.list { inner in
                inner.bytes([UInt8](repeating: 7, count: 60))
                inner.list { _ in }
            }
        }
        var text = RLPWriter()
        text.bytes(Array("dog".utf8))
        return [("nested", nested), ("text", text.bytes), ("byte", [0x7f])]
    } check: { bytes in
        let item = try RLP.decode(bytes)
        try FuzzFinding.unless(rewrite(item, depth: 0), is: bytes, "rlp")
    }

    private static func rewrite(_ item: RLPItem, depth: Int) throws -> [UInt8] {
        var writer = RLPWriter()
        if item.isList {
            let items = try item.items()
            try writer.list { list in for each in items { list.raw(try rewrite(each, depth: depth + 1)) } }
        } else {
            writer.bytes(try item.bytes())
        }
        return writer.bytes
    }

    static let cbor = FuzzTarget("cbor") {
        let value = CBOR.map([
            .init(.unsigned(1), .array([.bytes([1, 2]), .text("é"), .null, .bool(true), .negative(7)])),
            .init(.text("deep"), .tagged(18, .array([.map([]), .unsigned(.max)]))),
        ])
        return [("map", value.encoded()), ("small", [0x17])]
    } check: { bytes in
        let value = try CBOR.decode(bytes)
        try FuzzFinding.unlessStable(value.encoded(), "cbor") { try CBOR.decode($0, limits: .deterministic).encoded() }
        if let strict = try? CBOR.decode(bytes, limits: .deterministic) {
            try FuzzFinding.unless(strict.encoded(), is: bytes, "deterministic cbor")
        }
    }

    static let texts = FuzzTarget("texts", byteCountMax: 512) {
        [
            ("hex", Array("0x00ffAb".utf8)), ("address", Array("0x00000000000000000000000000000000000000aa".utf8)),
            ("number", Array("115792089237316195423570985008687907853269984665640564039457584007913129639935".utf8)),
        ]
    } check: { bytes in
        let text = try fuzzText(bytes)
        if let decoded = Hex.decode(text), Hex.decode(Hex.encode(decoded)) != decoded {
            throw FuzzFinding("hex: another value after writing and reading")
        }
        if let number = UInt256(decimal: text), UInt256(decimal: number.description) != number {
            throw FuzzFinding("a decimal number is another after writing and reading")
        }
        if let number = UInt256(hex: text), UInt256(bigEndian: number.bytes) != number {
            throw FuzzFinding("a hexadecimal number is another after writing and reading")
        }
    }
}
