internal import Crypto
internal import FoundationEssentials
public import Primitives

/// Seals the private part of one snapshot, frame by frame.
///
///     K = HKDF(K_session, salt = network id, info = "entente/v1/ledger/snapshot" ‖ epoch ‖ seqno ‖ nonce, 64 bytes)
///         AEAD key 32 ‖ commitment 32
///
/// The nonce, 16 bytes, follows from the leaf of the entry where the snapshot stands (``nonce(leaf:frameByteCount:)``). That
/// entry signs the whole history before it, and so the state: a key seals one content only, although every node makes its
/// own copy of the file, and the frames' AEAD nonces (frame ‖ seqno) never repeat under it. Which frame is the last is
/// bound, so that none can be cut off.
public struct SnapshotKey: Sendable {
    let epoch: UInt64
    let seqno: UInt64
    let nonce: [UInt8]
    let commitment: [UInt8]
    private let key: SymmetricKey

    /// Derives the key of the snapshot at `seqno`.
    /// - Throws: ``LedgerError/malformed(_:file:line:)`` when the nonce is not 16 bytes.
    public init(session: SessionKey, networkID: [UInt8], seqno: UInt64, nonce: [UInt8]) throws(LedgerError) {
        guard nonce.count == 16 else { throw .malformed("a snapshot nonce of \(nonce.count) bytes") }
        var info = Array("entente/v1/ledger/snapshot".utf8)
        info.append(littleEndian: session.epoch)
        info.append(littleEndian: seqno)
        info += nonce
        let bytes = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: session.key, salt: networkID, info: info, outputByteCount: 64
        ).withUnsafeBytes { Array($0) }
        epoch = session.epoch
        self.seqno = seqno
        self.nonce = nonce
        key = SymmetricKey(data: bytes[..<32])
        commitment = Array(bytes[32...])
    }

    /// The nonce of the snapshot after the signature entry with this leaf, whose frames are cut at so many bytes:
    /// SHA-256("entente/v1/snapshot/nonce" ‖ leaf ‖ u64 frame size), the first 16 bytes.
    public static func nonce(leaf: Bytes32, frameByteCount: Int) -> [UInt8] {
        var bytes = Array("entente/v1/snapshot/nonce".utf8) + leaf.bytes
        bytes.append(littleEndian: UInt64(frameByteCount))
        return Array(Digests.sha256(bytes).bytes.prefix(16))
    }

    func seal(_ plaintext: [UInt8], frame: UInt32, isLast: Bool, context: Bytes32) throws(LedgerError) -> [UInt8] {
        do {
            let box = try AES.GCM.seal(
                plaintext, using: key, nonce: AES.GCM.Nonce(data: aeadNonce(frame)),
                authenticating: associated(context, frame, isLast))
            return [UInt8](box.ciphertext) + [UInt8](box.tag)
        } catch { throw .decryption("the library would not seal a frame") }
    }

    func open(
        _ sealed: ArraySlice<UInt8>, frame: UInt32, isLast: Bool, context: Bytes32
    ) throws(LedgerError) -> [UInt8] {
        do {
            let box = try AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: aeadNonce(frame)), ciphertext: sealed.dropLast(16), tag: sealed.suffix(16))
            return [UInt8](try AES.GCM.open(box, using: key, authenticating: associated(context, frame, isLast)))
        } catch { throw .decryption("frame \(frame) of the snapshot at \(seqno) does not open") }
    }

    private func aeadNonce(_ frame: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: frame)
        bytes.append(littleEndian: seqno)
        return bytes
    }

    private func associated(_ context: Bytes32, _ frame: UInt32, _ isLast: Bool) -> [UInt8] {
        var bytes = context.bytes
        bytes.append(littleEndian: frame)
        bytes.append(isLast ? 1 : 0)
        return bytes
    }
}
