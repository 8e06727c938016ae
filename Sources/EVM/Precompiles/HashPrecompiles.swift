internal import COpenSSL

/// The precompiles 0x02 and 0x03, by OpenSSL.
enum HashPrecompiles {
    static func sha256(_ input: [UInt8]) -> [UInt8]? { digest(input, EVP_sha256(), 32) }

    /// 20 bytes, written as a word.
    static func ripemd160(_ input: [UInt8]) -> [UInt8]? {
        digest(input, EVP_ripemd160(), 20).map { [UInt8](repeating: 0, count: 12) + $0 }
    }

    private static func digest(_ input: [UInt8], _ type: OpaquePointer?, _ count: Int) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: count)
        let isDone = EVP_Digest(input, input.count, &digest, nil, type, nil)
        precondition(isDone == 1, "OpenSSL lacks a digest that the rules need")
        return digest
    }
}
