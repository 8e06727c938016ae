/// The precompile 0x09: the compression function F of BLAKE2b with a given number of rounds (EIP-152, RFC 7693).
enum Blake2Precompile {
    private static let length = 213

    /// One unit a round.
    static func gas(_ input: [UInt8]) -> UInt64 {
        guard input.count == length else { return 0 }
        return input[..<4].reduce(0) { $0 << 8 | UInt64($1) }
    }

    static func run(_ input: [UInt8]) -> [UInt8]? {
        guard input.count == length, input[212] <= 1 else { return nil }
        let rounds = gas(input)
        func word(_ offset: Int) -> UInt64 {
            input.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
        }
        let h = (0..<8).map { word(4 + $0 * 8) }
        let m = (0..<16).map { word(68 + $0 * 8) }
        var v = h + iv
        v[12] ^= word(196)
        v[13] ^= word(204)
        if input[212] == 1 { v[14] = ~v[14] }
        v.withUnsafeMutableBufferPointer { v in
            m.withUnsafeBufferPointer { m in compress(v, m, rounds) }
        }
        var output: [UInt8] = []
        for i in 0..<8 {
            withUnsafeBytes(of: (h[i] ^ v[i] ^ v[i + 8]).littleEndian) { output.append(contentsOf: $0) }
        }
        return output
    }

    private static func compress(
        _ v: UnsafeMutableBufferPointer<UInt64>, _ m: UnsafeBufferPointer<UInt64>, _ rounds: UInt64
    ) {
        @inline(__always)
        func rotate(_ x: UInt64, _ n: UInt64) -> UInt64 { x &>> n | x &<< (64 &- n) }
        @inline(__always)
        func mix(_ a: Int, _ b: Int, _ c: Int, _ d: Int, _ x: UInt64, _ y: UInt64) {
            v[a] = v[a] &+ v[b] &+ x
            v[d] = rotate(v[d] ^ v[a], 32)
            v[c] = v[c] &+ v[d]
            v[b] = rotate(v[b] ^ v[c], 24)
            v[a] = v[a] &+ v[b] &+ y
            v[d] = rotate(v[d] ^ v[a], 16)
            v[c] = v[c] &+ v[d]
            v[b] = rotate(v[b] ^ v[c], 63)
        }
        sigma.withUnsafeBufferPointer { sigma in
            var row = 0
            for _ in 0..<rounds {
                let s = row * 16
                mix(0, 4, 8, 12, m[sigma[s]], m[sigma[s + 1]])
                mix(1, 5, 9, 13, m[sigma[s + 2]], m[sigma[s + 3]])
                mix(2, 6, 10, 14, m[sigma[s + 4]], m[sigma[s + 5]])
                mix(3, 7, 11, 15, m[sigma[s + 6]], m[sigma[s + 7]])
                mix(0, 5, 10, 15, m[sigma[s + 8]], m[sigma[s + 9]])
                mix(1, 6, 11, 12, m[sigma[s + 10]], m[sigma[s + 11]])
                mix(2, 7, 8, 13, m[sigma[s + 12]], m[sigma[s + 13]])
                mix(3, 4, 9, 14, m[sigma[s + 14]], m[sigma[s + 15]])
                row = row == 9 ? 0 : row + 1
            }
        }
    }

    private static let iv: [UInt64] = [
        0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
    ]

    private static let sigma: [Int] = [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
        11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4,
        7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8,
        9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13,
        2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9,
        12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11,
        13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10,
        6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5,
        10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0,
    ]
}
