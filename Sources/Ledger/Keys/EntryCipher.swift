internal import Crypto
internal import FoundationEssentials
internal import Primitives

/// Seals and opens the entries of one leadership.
///
/// One cipher must seal each seqno at most once: the keys of an entry are its own, and its nonces are fixed
/// (compartment ‖ seqno). A leader that begins anew draws a new nonce and so gets other keys, also after a rollback.
public struct EntryCipher: Sendable {
    /// The leadership whose entries it seals and opens.
    public let leadership: Leadership
    private let schedule: KeySchedule

    /// Derives the leadership's keys.
    /// - Throws: ``LedgerError/decryption(_:file:line:)`` when the key is of another epoch.
    public init(session: SessionKey, networkID: [UInt8], leadership: Leadership) throws(LedgerError) {
        guard session.epoch == leadership.epoch else {
            throw .decryption("the session key of epoch \(session.epoch) for epoch \(leadership.epoch)")
        }
        self.leadership = leadership
        schedule = KeySchedule(session: session, networkID: networkID, leadership: leadership)
    }

    /// The commit evidence of an entry, in CCF's form: `ce:view.seqno:HMAC in hex`. Who shows it has it from a node.
    public func commitEvidence(_ id: TransactionID) -> String {
        schedule.commitEvidence(id)
    }

    /// The seed of the salts of an entry's ``BatchTree``.
    public func batchSeed(_ id: TransactionID) -> [UInt8] {
        schedule.entryKeys(id.seqno).batchSeed
    }

    /// Builds an entry with its compartments sealed.
    /// - Throws: ``LedgerError/tooLarge(_:file:line:)``; ``LedgerError/outOfRange(_:file:line:)`` for another view.
    public func seal(_ contents: EntryContents, compartments: [Compartment]) throws(LedgerError) -> LedgerEntry {
        guard contents.id.view == leadership.view else {
            throw .outOfRange("an entry of view \(contents.id.view) by the leader of view \(leadership.view)")
        }
        guard compartments.count <= PrivateDomain.compartmentCountMax,
            compartments.allSatisfy({ $0.readers.count + $0.contents.count <= EntryHeader.entryByteCountMax })
        else { throw .tooLarge("\(compartments.count) compartments, or one that is too large") }
        let keys = schedule.entryKeys(contents.id.seqno)
        return try LedgerEntry(
            contents, commitEvidenceDigest: Digests.sha256(commitEvidence(contents.id)),
            privateByteCount: PrivateDomain.byteCount(compartments)
        ) { (bytes: inout [UInt8]) throws(LedgerError) in
            bytes.append(PrivateDomain.version)
            bytes.append(contentsOf: keys.commitment)
            bytes.append(littleEndian: leadership.epoch)
            bytes.append(contentsOf: leadership.nodeID)
            bytes.append(contentsOf: leadership.bootNonce)
            bytes.append(littleEndian: UInt32(compartments.count))
            let context = Self.context(bytes, prefixEnd: bytes.count)
            for (index, compartment) in compartments.enumerated() {
                try Self.seal(compartment, index, keys.secret, contents.id.seqno, context, &bytes)
            }
        }
    }

    /// Builds an entry with public maps only, as signature entries are: no private domain at all.
    public func publicEntry(_ contents: EntryContents) throws(LedgerError) -> LedgerEntry {
        try LedgerEntry(
            contents, commitEvidenceDigest: Digests.sha256(commitEvidence(contents.id)), privateByteCount: 0
        ) { (_: inout [UInt8]) in }
    }

    /// Opens all compartments of an entry of this leadership, and checks its commit evidence.
    /// - Throws: ``LedgerError/decryption(_:file:line:)``, ``LedgerError/malformed(_:file:line:)``.
    public func open(_ entry: LedgerEntry) throws(LedgerError) -> [Compartment] {
        guard !entry.header.privateRange.isEmpty else { return [] }
        let domain = try PrivateDomain(entry)
        guard domain.epoch == leadership.epoch, entry.id.view == leadership.view,
            domain.nodeID == leadership.nodeID, domain.bootNonce == leadership.bootNonce
        else { throw .decryption("entry \(entry.id) is of another leadership") }
        guard entry.commitEvidenceDigest == Digests.sha256(commitEvidence(entry.id)) else {
            throw .decryption("the commit evidence of entry \(entry.id) is not the key's")
        }
        let keys = schedule.entryKeys(entry.id.seqno)
        guard keys.commitment == domain.commitment else {
            throw .decryption("the key commitment of entry \(entry.id) is not the key's")
        }
        let context = Self.context(entry.bytes, prefixEnd: domain.prefixEnd)
        var compartments: [Compartment] = []
        compartments.reserveCapacity(domain.compartments.count)
        for (index, sealed) in domain.compartments.enumerated() {
            let keys = KeySchedule.compartmentKeys(keys.secret, UInt32(index))
            compartments.append(try Self.open(entry, sealed, index, keys, context))
        }
        return compartments
    }

    /// The key of one compartment, to be given to an auditor or a reader: it opens this compartment and nothing else.
    public func disclosureKey(_ id: TransactionID, compartment index: UInt32) -> [UInt8] {
        KeySchedule.compartmentKeys(schedule.entryKeys(id.seqno).secret, index).secret.withUnsafeBytes { Array($0) }
    }

    /// Opens one compartment with a disclosed key; the commitment in the entry tells a false key from the true one.
    /// - Throws: ``LedgerError/decryption(_:file:line:)``, ``LedgerError/malformed(_:file:line:)``,
    ///   ``LedgerError/outOfRange(_:file:line:)`` for a compartment that is not there.
    public static func open(
        _ entry: LedgerEntry, compartment index: UInt32, disclosedKey: [UInt8]
    ) throws(LedgerError) -> Compartment {
        guard disclosedKey.count == 32 else { throw .decryption("a disclosed key of \(disclosedKey.count) bytes") }
        let domain = try PrivateDomain(entry)
        guard index < domain.compartments.count else { throw .outOfRange("no compartment \(index) in \(entry.id)") }
        let keys = KeySchedule.CompartmentKeys(secret: SymmetricKey(data: disclosedKey))
        let context = context(entry.bytes, prefixEnd: domain.prefixEnd)
        return try open(entry, domain.compartments[Int(index)], Int(index), keys, context)
    }

    /// SHA-256 of what every compartment of an entry is bound to: framing ‖ IV field ‖ public domain with its length ‖
    /// private domain up to the compartments, with the epoch. The tag field, which comes last, is left out.
    private static func context(_ bytes: [UInt8], prefixEnd: Int) -> Bytes32 {
        var hash = SHA256()
        bytes.withUnsafeBytes {
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<EntryHeader.tagRange.lowerBound]))
            let rest = EntryHeader.tagRange.upperBound..<prefixEnd
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[rest]))
        }
        return Bytes32(digest: hash.finalize())
    }

    private static func associatedData(_ context: Bytes32, _ index: Int, _ commitment: [UInt8]) -> [UInt8] {
        var data = context.bytes
        data.append(littleEndian: UInt32(truncatingIfNeeded: index))
        return data + commitment
    }

    private static func nonce(_ index: Int, _ seqno: UInt64) -> [UInt8] {
        var nonce: [UInt8] = []
        nonce.append(littleEndian: UInt32(truncatingIfNeeded: index))
        nonce.append(littleEndian: seqno)
        return nonce
    }

    private static func seal(
        _ compartment: Compartment, _ index: Int, _ entrySecret: SymmetricKey, _ seqno: UInt64, _ context: Bytes32,
        _ bytes: inout [UInt8]
    ) throws(LedgerError) {
        let keys = KeySchedule.compartmentKeys(entrySecret, UInt32(index))
        var plaintext: [UInt8] = []
        plaintext.reserveCapacity(4 + compartment.readers.count + compartment.contents.count)
        plaintext.append(littleEndian: UInt32(compartment.readers.count))
        plaintext.append(contentsOf: compartment.readers)
        plaintext.append(contentsOf: compartment.contents)
        do {
            let box = try AES.GCM.seal(
                plaintext, using: keys.key, nonce: AES.GCM.Nonce(data: nonce(index, seqno)),
                authenticating: associatedData(context, index, keys.commitment))
            bytes.append(contentsOf: keys.commitment)
            bytes.append(littleEndian: UInt32(plaintext.count + 16))
            bytes.append(contentsOf: box.ciphertext)
            bytes.append(contentsOf: box.tag)
        } catch { throw .decryption("the library would not seal a compartment") }
    }

    private static func open(
        _ entry: LedgerEntry, _ sealed: PrivateDomain.Sealed, _ index: Int, _ keys: KeySchedule.CompartmentKeys,
        _ context: Bytes32
    ) throws(LedgerError) -> Compartment {
        guard keys.commitment == sealed.commitment else {
            throw .decryption("the key commitment of compartment \(index) of \(entry.id) is not the key's")
        }
        let plaintext: [UInt8]
        do {
            let box = try AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: nonce(index, entry.id.seqno)),
                ciphertext: entry.bytes[sealed.range.dropLast(16)], tag: entry.bytes[sealed.range.suffix(16)])
            plaintext = [UInt8](
                try AES.GCM.open(
                    box, using: keys.key, authenticating: associatedData(context, index, keys.commitment)))
        } catch { throw .decryption("compartment \(index) of \(entry.id) does not open") }
        var reader = ByteReader(plaintext)
        do {
            let readers = try reader.blob()
            return Compartment(readers: readers, contents: try reader.raw(reader.remaining))
        } catch { throw .malformed("the contents of compartment \(index) of \(entry.id)") }
    }
}
