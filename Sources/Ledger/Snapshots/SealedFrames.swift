internal import Primitives
internal import Store

/// Where the sealed frames of a file stand, and what opens them.
struct SealedFrames: Sendable {
    var file: String
    let key: SnapshotKey
    let context: Bytes32
    let ranges: [Range<Int>]

    /// Opens one frame, given its bytes.
    func open(
        _ index: Int, _ sealed: [UInt8], limits: WriteSetLimits = .standard
    ) throws(LedgerError) -> WriteSet {
        let plaintext = try key.open(
            sealed[...], frame: UInt32(index), isLast: index == ranges.count - 1, context: context)
        do { return try WriteSet.decode(plaintext, limits: limits) } catch {
            throw .malformed("frame \(index) of \(file): \(error)")
        }
    }

    /// Reads and opens one frame.
    func frame(_ index: Int, in storage: some LedgerStorage) throws -> WriteSet {
        guard ranges.indices.contains(index) else { throw LedgerError.malformed("no frame \(index) in \(file)") }
        let sealed = try storage.read(file, at: ranges[index].lowerBound, count: ranges[index].count)
        guard sealed.count == ranges[index].count else { throw LedgerError.corrupt("\(file) is cut short") }
        return try open(index, sealed)
    }

    /// The frames that can hold maps from `name` on and before `end`, found by halving.
    func indices(
        from name: String, to end: String, in storage: some LedgerStorage
    ) throws -> Range<Int> {
        func first(where behind: (String) -> Bool) throws -> Int {
            var (low, high) = (0, ranges.count)
            while low < high {
                let middle = (low + high) / 2
                // An empty frame is that of an empty state.
                let start = try frame(middle, in: storage).maps.first?.name
                if start.map(behind) ?? true { high = middle } else { low = middle + 1 }
            }
            return low
        }
        let start = try first { !$0.utf8.lexicographicallyPrecedes(name.utf8) }
        let stop = try first { !$0.utf8.lexicographicallyPrecedes(end.utf8) }
        // The frame before may end with the first of these maps.
        return max(0, start - 1)..<stop
    }
}

/// Writes frames one after the other into a file, each a u32 length and that many sealed bytes.
struct SealedFrameWriter: Sendable {
    let file: String
    let key: SnapshotKey
    let context: Bytes32
    private(set) var end: Int
    private var ranges: [Range<Int>] = []

    /// Frames from `start` on.
    init(file: String, key: SnapshotKey, context: Bytes32, start: Int) {
        self.file = file
        self.key = key
        self.context = context
        end = start
    }

    /// Seals a frame.
    /// - Returns: what follows in the file, and where.
    mutating func seal(_ state: WriteSet, isLast: Bool) throws(LedgerError) -> (piece: [UInt8], offset: Int) {
        let plaintext = state.encoded()
        guard plaintext.count < 1 << 31 else { throw .tooLarge("a frame of \(plaintext.count) bytes") }
        guard ranges.count < UInt32.max else { throw .tooLarge("\(ranges.count) frames") }
        let sealed = try key.seal(plaintext, frame: UInt32(ranges.count), isLast: isLast, context: context)
        var piece: [UInt8] = []
        piece.reserveCapacity(4 + sealed.count)
        piece.append(littleEndian: UInt32(sealed.count))
        piece += sealed
        let offset = end
        end += piece.count
        ranges.append(offset + 4..<end)
        return (piece, offset)
    }

    /// What was written.
    var frames: SealedFrames { SealedFrames(file: file, key: key, context: context, ranges: ranges) }
}
