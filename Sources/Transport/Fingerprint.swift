internal import Crypto

/// Lower hex SHA-256 of a certificate, for logs: says which one it was without printing it.
func fingerprint(_ certificate: [UInt8]?) -> String {
    guard let certificate else { return "none" }
    return SHA256.hash(data: certificate).map { byte in
        let hex = String(byte, radix: 16)
        return byte < 16 ? "0" + hex : hex
    }.joined()
}
