internal import Crypto
internal import Primitives
internal import Store

/// One snapshot in the making, or several runs of changes that are folded into one state: a machine that does a bounded
/// piece of work in each step.
struct SnapshotMaking: Sendable {
    /// Where frames come from.
    enum Source: Sendable {
        case sealed(SealedFrames)
        case memory([WriteSet])
    }

    /// What is made.
    enum Result: Sendable {
        case snapshot(SealedFrames, digest: Bytes32, byteCount: Int)
        case fold(SealedFrames)
    }

    private enum Output: Sendable {
        case snapshot(SnapshotWriter)
        case fold(SealedFrameWriter)
    }

    /// Files that are not needed any more once this is done.
    let inputFiles: [String]
    let file: String
    private var sources: [Source]
    private var next: [Int]
    private var merge: SnapshotMerge
    private var output: Output
    private var offset = 0
    private var synced = 0
    private var hash: (state: SHA256, offset: Int)?
    private static let hashByteCount = 4 << 20
    private static let syncByteCount = 32 << 20

    /// The making of a snapshot from these sources, the last state first.
    init(
        point: SnapshotPoint, sources: [Source], file: String, inputFiles: [String], frameByteCount: Int
    ) throws(LedgerError) {
        let nonce = SnapshotKey.nonce(leaf: point.leaf, frameByteCount: frameByteCount)
        let key = try SnapshotKey(
            session: point.session, networkID: point.networkID, seqno: point.id.seqno, nonce: nonce)
        let writer = try SnapshotWriter(
            id: point.id, leaf: point.leaf, viewHistory: point.viewHistory, publicState: point.publicState, key: key,
            file: file)
        self.init(.snapshot(writer), sources, file, inputFiles, frameByteCount)
    }

    /// The folding of these sources.
    init(fold sources: [Source], file: String, key: SnapshotKey, inputFiles: [String], frameByteCount: Int) {
        let writer = SealedFrameWriter(file: file, key: key, context: .zero, start: 0)
        self.init(.fold(writer), sources, file, inputFiles, frameByteCount)
    }

    private init(
        _ output: Output, _ sources: [Source], _ file: String, _ inputFiles: [String], _ frameByteCount: Int
    ) {
        self.output = output
        self.sources = sources
        self.file = file
        self.inputFiles = inputFiles
        next = Array(repeating: 0, count: sources.count)
        merge = SnapshotMerge(sourceCount: sources.count, frameByteCount: frameByteCount)
    }

    /// Whether a snapshot is made, not a fold.
    var isSnapshot: Bool { if case .snapshot = output { true } else { false } }

    /// A file that may be one of the sources has another name now.
    mutating func rename(_ old: String, to new: String) {
        for index in sources.indices {
            if case .sealed(var frames) = sources[index], frames.file == old {
                frames.file = new
                sources[index] = .sealed(frames)
            }
        }
    }

    /// Does the next piece of work: about one frame.
    /// - Returns: what was made, once all is done and durable.
    mutating func step(_ storage: inout some LedgerStorage) throws -> Result? {
        if hash != nil { return try hashOn(&storage) }
        if offset == 0, case .snapshot(let writer) = output {
            try storage.write(writer.head, to: file, at: 0)
            offset = writer.head.count
        }
        while true {
            switch merge.next() {
            case .needs(let source):
                try merge.supply(try frame(of: source, in: storage), from: source)
            case .frame(let state, let isLast):
                try write(state, isLast: isLast, to: &storage)
                return nil
            case .done:
                return try finish(&storage)
            }
        }
    }

    private mutating func frame(of source: Int, in storage: some LedgerStorage) throws -> WriteSet? {
        defer { next[source] += 1 }
        switch sources[source] {
        case .sealed(let frames):
            guard next[source] < frames.ranges.count else { return nil }
            return try frames.frame(next[source], in: storage)
        case .memory(let frames):
            guard next[source] < frames.count else { return nil }
            return frames[next[source]]
        }
    }

    private mutating func write(_ state: WriteSet, isLast: Bool, to storage: inout some LedgerStorage) throws {
        let piece: [UInt8]
        switch output {
        case .snapshot(var writer):
            piece = try writer.frame(state, isLast: isLast)
            output = .snapshot(writer)
        case .fold(var writer):
            piece = try writer.seal(state, isLast: isLast).piece
            output = .fold(writer)
        }
        try storage.write(piece, to: file, at: offset)
        offset += piece.count
        // Not all at the end: the ledger's syncs would have to wait for that.
        if isSnapshot, offset - synced >= Self.syncByteCount {
            try storage.sync(file)
            synced = offset
        }
    }

    private mutating func finish(_ storage: inout some LedgerStorage) throws -> Result? {
        sources = []
        // What was reserved beyond the end is given back.
        try storage.truncate(file, to: offset)
        switch output {
        case .snapshot(let writer):
            try storage.write(writer.framing(), to: file, at: 0)
            try storage.sync(file)
            // The digest covers the framing, which was known last: so what was written is read once more.
            hash = (SHA256(), 0)
            return nil
        case .fold(let writer):
            return .fold(writer.frames)
        }
    }

    private mutating func hashOn(_ storage: inout some LedgerStorage) throws -> Result? {
        guard var (state, place) = hash, case .snapshot(let writer) = output else { return nil }
        guard place < offset else {
            return .snapshot(
                writer.sealedFrames, digest: Bytes32(digest: state.finalize()), byteCount: offset)
        }
        let part = try storage.read(file, at: place, count: min(Self.hashByteCount, offset - place))
        guard !part.isEmpty else { throw LedgerError.corrupt("\(file) is cut short") }
        hash = nil
        state.update(data: part)
        place += part.count
        hash = (state, place)
        return nil
    }
}
