internal import Crypto
internal import FoundationEssentials
internal import Primitives

/// Derivations from a session key (HKDF-SHA256, RFC 5869); every label begins with a version.
///
///     K_sub = HKDF(K_session, salt = network id, info = "entente/v1/ledger/private" ‖ epoch ‖ view ‖ node id ‖ nonce)
///     S_i   = Expand(K_sub, "entry" ‖ seqno)               commitment 32 ‖ batch seed 32 = Expand(S_i, "entry keys")
///     S_i,c = Expand(S_i, "compartment" ‖ c)               AEAD key 32 ‖ commitment 32 = Expand(S_i,c, "aead")
///     K_ce  = Expand(K_sub, "commit evidence")
///
/// The secret of an entry or a compartment can be disclosed alone. It tells nothing about the others, and since the
/// commitment in the entry follows from it, a false one is found.
struct KeySchedule: Sendable {
    struct EntryKeys {
        let secret: SymmetricKey
        let commitment: [UInt8]
        let batchSeed: [UInt8]
    }

    struct CompartmentKeys {
        let secret: SymmetricKey
        let key: SymmetricKey
        let commitment: [UInt8]

        init(secret: SymmetricKey) {
            self.secret = secret
            let bytes = KeySchedule.expand(secret, Array("aead".utf8), 64)
            key = SymmetricKey(data: bytes[0..<32])
            commitment = Array(bytes[32..<64])
        }
    }

    private let subkey: SymmetricKey
    private let evidenceKey: SymmetricKey

    init(session: SessionKey, networkID: [UInt8], leadership: Leadership) {
        var info = Array("entente/v1/ledger/private".utf8)
        info.append(littleEndian: leadership.epoch)
        info.append(littleEndian: leadership.view)
        info += leadership.nodeID + leadership.bootNonce
        subkey = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: session.key, salt: networkID, info: info, outputByteCount: 32)
        evidenceKey = HKDF<SHA256>.expand(
            pseudoRandomKey: subkey, info: Array("commit evidence".utf8), outputByteCount: 32)
    }

    func entryKeys(_ seqno: UInt64) -> EntryKeys {
        var info = Array("entry".utf8)
        info.append(littleEndian: seqno)
        let secret = SymmetricKey(data: Self.expand(subkey, info, 32))
        let bytes = Self.expand(secret, Array("entry keys".utf8), 64)
        return EntryKeys(secret: secret, commitment: Array(bytes[0..<32]), batchSeed: Array(bytes[32..<64]))
    }

    static func compartmentKeys(_ entrySecret: SymmetricKey, _ index: UInt32) -> CompartmentKeys {
        var info = Array("compartment".utf8)
        info.append(littleEndian: index)
        return CompartmentKeys(secret: SymmetricKey(data: expand(entrySecret, info, 32)))
    }

    private static func expand(_ key: SymmetricKey, _ info: [UInt8], _ count: Int) -> [UInt8] {
        HKDF<SHA256>.expand(pseudoRandomKey: key, info: info, outputByteCount: count).withUnsafeBytes { Array($0) }
    }

    /// The commit evidence of an entry, in CCF's form.
    func commitEvidence(_ id: TransactionID) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(id)".utf8), using: evidenceKey)
        return "ce:\(id):\(Hex.encode(Array(code)))"
    }
}

extension [UInt8] {
    mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}
