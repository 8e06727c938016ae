internal import CSecp256k1
public import Primitives

/// Recovery of the signer on the curve secp256k1, by libsecp256k1.
public enum Secp256k1 {
    /// The library's context: read-only once made, and safe to share between threads.
    private struct Context: @unchecked Sendable {
        let pointer: OpaquePointer?

        init() {
            pointer = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_VERIFY))
        }
    }

    private static let context = Context()

    /// The address whose key made a signature, as for transaction senders and ECRECOVER; nil if there is none.
    /// - Parameters:
    ///   - digest: what was signed.
    ///   - r: first half of the signature, in 1..<n.
    ///   - s: second half, in 1..<n. A half above n/2 is recovered too: whether it is refused (EIP-2) is the caller's.
    ///   - recoveryID: 0 or 1, the parity of the point's y; 2 and 3, for an x above n, do not occur in Ethereum but are
    ///     taken.
    public static func recover(digest: Bytes32, r: UInt256, s: UInt256, recoveryID: UInt8) -> Address? {
        guard let context = context.pointer, recoveryID <= 3 else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: 65, alignment: 8) { scratch in
            guard let base = scratch.baseAddress else { return nil }
            r.storeBigEndian(to: base)
            s.storeBigEndian(to: base + 32)
            let bytes = base.assumingMemoryBound(to: UInt8.self)
            var signature = secp256k1_ecdsa_recoverable_signature()
            guard
                secp256k1_ecdsa_recoverable_signature_parse_compact(context, &signature, bytes, Int32(recoveryID)) == 1
            else { return nil }
            var key = secp256k1_pubkey()
            let isFound = digest.withUnsafeBytes {
                secp256k1_ecdsa_recover(
                    context, &key, &signature, $0.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self))
            }
            guard isFound == 1 else { return nil }
            var length = 65
            guard
                secp256k1_ec_pubkey_serialize(context, bytes, &length, &key, UInt32(SECP256K1_EC_UNCOMPRESSED)) == 1,
                length == 65
            else { return nil }
            return Address(tailOf: Keccak256.hash(UnsafeRawBufferPointer(start: base + 1, count: 64)))
        }
    }
}

/// The precompile 0x01: digest, v (27 or 28), r and s as words; the signer's address as a word, or nothing.
enum ECRecoverPrecompile {
    static func run(_ input: [UInt8]) -> [UInt8]? {
        let padded = Array((input + [UInt8](repeating: 0, count: 128)).prefix(128))
        let (digest, v, r, s) = padded.withUnsafeBytes { bytes in
            let base = bytes.baseAddress.unsafelyUnwrapped
            return (
                Bytes32(loading: base), UInt256(loadingBigEndian: base + 32), UInt256(loadingBigEndian: base + 64),
                UInt256(loadingBigEndian: base + 96)
            )
        }
        guard v == 27 || v == 28 else { return [] }
        guard let signer = Secp256k1.recover(digest: digest, r: r, s: s, recoveryID: UInt8(v.w0 - 27)) else {
            return []
        }
        return UInt256(signer).bytes
    }
}
