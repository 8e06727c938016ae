import EthereumAdapter
import Primitives
import Testing

@Suite("Headers")
struct HeaderTests {
    /// Mainnet's first block, whose hash everybody knows.
    @Test func mainnetGenesis() throws {
        let header = Header(
            stateRoot: try #require(
                Bytes32(hex: "d7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544")),
            difficulty: UInt256(0x4_0000_0000 as UInt64), gasLimit: 5000,
            extraData: try #require(
                Hex.decode("11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa")), nonce: 0x42)
        #expect(header.hash.hex == "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3")
        #expect(try Header(decoding: header.encoded) == header)
    }

    @Test func optionalFieldsComeInOrder() throws {
        var header = Header(number: 7, timestamp: 9)
        var length = header.encoded.count
        let steps: [(inout Header) -> Void] = [
            { $0.baseFeePerGas = UInt256(7 as UInt64) }, { $0.withdrawalsRoot = OrderedTrie.emptyRoot },
            { $0.blobGasUsed = 131_072 }, { $0.excessBlobGas = 0 }, { $0.parentBeaconBlockRoot = .zero },
            { $0.requestsHash = .zero },
        ]
        for step in steps {
            step(&header)
            #expect(header.encoded.count > length)
            length = header.encoded.count
            #expect(try Header(decoding: header.encoded) == header)
        }
    }

    @Test func malformedHeadersAreRefused() {
        #expect(throws: RLPError.self) { try Header(decoding: []) }
        #expect(throws: RLPError.self) { try Header(decoding: [0xc0]) }
        var random = SeededGenerator(seed: 1)
        for _ in 0..<2_000 {
            var bytes = Header(number: 7, baseFeePerGas: .one).encoded
            for _ in 0..<2 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if let header = try? Header(decoding: bytes) { #expect(header.encoded == bytes) }
        }
    }

    @Test func bloomHoldsWhatWasLogged() {
        var bloom = Bloom()
        for item in ["testtest", "test", "hallo", "other"] { bloom.insert(Array(item.utf8)) }
        for item in ["testtest", "test", "hallo", "other"] { #expect(bloom.mayContain(Array(item.utf8))) }
        for item in ["tes", "lo"] { #expect(!bloom.mayContain(Array(item.utf8))) }
        #expect(Bloom(bloom.bytes) == bloom)
        #expect(Bloom([1]) == nil)
    }
}
