internal import Crypto
public import Primitives
public import Store

/// Writes a snapshot file: one entry of CCF's type 1 with the public maps in clear, as the PyPI reader parses them, and
/// the private state sealed in frames; a receipt for the entry that recorded its digest follows.
///
/// Private domain, little-endian: u8 version = 1 ‖ key commitment, 32 ‖ u64 epoch ‖ nonce, 16 ‖ frames, each a u32 length
/// and that many sealed bytes.
///
/// Pieces come out one after the other. Only the first 24 bytes depend on what follows: they are written last.
public struct SnapshotWriter: Sendable {
    /// Where the snapshot stands.
    public let id: TransactionID
    /// What goes to the file first, but for the framing: see ``framing()``.
    public let head: [UInt8]

    private let key: SnapshotKey
    private var frames: SealedFrameWriter

    static let privatePrefixByteCount = 1 + 32 + 8 + 16

    /// Begins a snapshot.
    /// - Parameters:
    ///   - id: the signature entry after which the state is taken.
    ///   - leaf: that entry's leaf: with the tree in the public maps, what the Merkle tree goes on from.
    ///   - viewHistory: the first seqno of each view from 1 on.
    ///   - publicState: all public maps of the network's own, without removals.
    ///   - file: the name of the file that is written.
    /// - Throws: ``LedgerError/outOfRange(_:file:line:)`` when the key is another snapshot's,
    ///   ``LedgerError/tooLarge(_:file:line:)``.
    public init(
        id: TransactionID, leaf: Bytes32, viewHistory: [UInt64], publicState: WriteSet, key: SnapshotKey,
        file: String = ""
    ) throws(LedgerError) {
        guard viewHistory.count <= SnapshotFile.viewCountMax else { throw .tooLarge("\(viewHistory.count) views") }
        guard key.seqno == id.seqno else { throw .outOfRange("the key of the snapshot at \(key.seqno) for \(id)") }
        var domain: [UInt8] = [EntryType.snapshot.rawValue]
        domain.append(littleEndian: id.seqno)
        domain.append(littleEndian: 0 as UInt64)
        Layout.append(leaf.bytes, to: &domain)
        domain.append(littleEndian: UInt64(viewHistory.count * 8))
        for seqno in viewHistory { domain.append(littleEndian: seqno) }
        for map in publicState.maps where map.isPublic {
            Layout.append(Array(map.name.utf8), to: &domain)
            domain.append(littleEndian: id.seqno)
            var pairs: [UInt8] = []
            for write in map.writes {
                Self.appendPadded(write.key, to: &pairs)
                var versioned: [UInt8] = []
                versioned.append(littleEndian: id.seqno)
                Self.appendPadded(versioned + write.value, to: &pairs)
            }
            Layout.append(pairs, to: &domain)
        }
        var bytes = [UInt8](repeating: 0, count: EntryHeader.ivRange.lowerBound)
        bytes += EntryHeader.iv(id, isSnapshot: true)
        bytes.append(littleEndian: UInt64(domain.count))
        bytes += domain
        bytes.append(1)
        bytes += key.commitment
        bytes.append(littleEndian: key.epoch)
        bytes += key.nonce
        head = bytes
        self.id = id
        self.key = key
        guard bytes.count <= SnapshotFile.publicByteCountMax else {
            throw .tooLarge("\(bytes.count) bytes of public maps")
        }
        frames = SealedFrameWriter(file: file, key: key, context: Digests.sha256(bytes), start: bytes.count)
    }

    /// Seals the next frame of the private state.
    /// - Returns: the piece of the file that follows.
    /// - Throws: ``LedgerError/tooLarge(_:file:line:)``.
    public mutating func frame(_ state: WriteSet, isLast: Bool) throws(LedgerError) -> [UInt8] {
        try frames.seal(state, isLast: isLast).piece
    }

    /// Bytes so far.
    var byteCount: Int { frames.end }
    /// Where the frames stand.
    var sealedFrames: SealedFrames { frames.frames }

    /// The first 8 bytes of the file, once all frames are sealed. The 16 that follow them, the tag field, stay zero.
    public func framing() -> [UInt8] {
        var bytes: [UInt8] = []
        let size = UInt64(byteCount - EntryHeader.framingByteCount)
        bytes.append(littleEndian: size << 16 | UInt64(EntryHeader.version))
        return bytes
    }

    private static func appendPadded(_ value: [UInt8], to bytes: inout [UInt8]) {
        Layout.append(value, to: &bytes)
        bytes.append(contentsOf: repeatElement(0, count: (8 - value.count % 8) % 8))
    }
}
