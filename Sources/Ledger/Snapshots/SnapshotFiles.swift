internal import Primitives
internal import Store

/// The snapshot folder, over a ``LedgerStorage``: committed snapshots, the one in the making, and sorted runs of the
/// changes since the last, sealed under a key that no one keeps. Small jobs are done at once; the making of a snapshot
/// takes many calls of ``advance()``, so that whoever runs it can do other things in between.
///
/// In memory are the changes that are not in a run yet, one frame of each source while a snapshot is made, and where the
/// frames of files stand.
public struct SnapshotFiles<Storage: LedgerStorage> {
    /// Where the files are.
    public private(set) var storage: Storage
    /// Committed snapshots, oldest first.
    private(set) var committed: [SnapshotListing] = []

    private let frameByteCount: Int
    private let runByteCount: Int
    private let ephemeral: SessionKey
    private var counter: UInt64 = 0
    /// Frames of files that were opened or made, by file name.
    private var opened: [String: SealedFrames] = [:]
    /// The state that changes follow; nil for nothing.
    private var base: SealedFrames?
    private var runs: [SealedFrames] = []
    private var loose: [WriteSet] = []
    private var looseByteCount = 0
    private var making: (work: SnapshotMaking, seqno: UInt64)?
    /// A snapshot that waits for a fold, and the runs that belong to it.
    private var queued: (point: SnapshotPoint, runs: [SealedFrames], changes: [WriteSet])?
    /// Snapshots that are made and not committed, with their bytes.
    private var made: [UInt64: Int] = [:]
    private var incoming: (name: SnapshotName, byteCount: UInt64)?
    private var isStopped = false

    static var runCountMax: Int { 64 }
    private static var incomingFile: String { "incoming" }
    private static var ownFrameCountMax: Int { 1 << 16 }

    /// The folder in `storage`.
    /// - Parameters:
    ///   - secret: 32 random bytes, drawn for each process: they seal the runs.
    ///   - frameByteCount: bytes of a frame; all nodes of a network must cut alike.
    ///   - runByteCount: changes that are collected in memory before they become a run.
    public init(
        _ storage: Storage, secret: [UInt8], frameByteCount: Int = SnapshotMerge.standardFrameByteCount,
        runByteCount: Int = 16 << 20
    ) throws(LedgerError) {
        self.storage = storage
        self.frameByteCount = frameByteCount
        self.runByteCount = runByteCount
        ephemeral = try SessionKey(epoch: 0, bytes: secret)
    }

    /// Whether a snapshot is in the making, so that ``advance()`` has something to do.
    public var isBusy: Bool { making != nil }

    /// Does a job.
    public mutating func perform(_ job: SnapshotJob) -> [SnapshotReport] {
        switch job {
        case .list: return list()
        case .open(let name, let access): return [open(name, file: name.fileName, access)]
        case .setAside(let name): return guarded { try $0.setAside(name) }
        case .rebase(let name): return guarded { try $0.rebase(name) }
        case .collect(let changes): return guarded { try $0.collect(changes) }
        case .make(let point, let changes): return guarded { try $0.make(point, changes) }
        case .commit(let name, let receipt, let others): return guarded { try $0.commit(name, receipt, others) }
        case .discard(let seqno): return guarded { try $0.discard(seqno) }
        case .frame(let name, let index): return [frame(name, index)]
        case .read(let name, let offset, let byteCount, let peer): return [read(name, offset, byteCount, peer)]
        case .receive(let name, let offset, let bytes): return [receive(name, offset, bytes)]
        case .accept(let name, let byteCount, let access): return [accept(name, byteCount, access)]
        }
    }

    /// Does the next piece of the snapshot in the making.
    public mutating func advance() -> [SnapshotReport] {
        guard case (var work, let seqno)? = making else { return [] }
        making = nil
        return guarded { files in
            let result = try work.step(&files.storage)
            switch result {
            case nil:
                files.making = (work, seqno)
                return []
            case .snapshot(var frames, let digest, let byteCount):
                let file = Self.madeFile(seqno)
                try files.storage.rename(frames.file, to: file)
                frames.file = file
                files.made[seqno] = byteCount
                try files.replaceBase(with: frames, dropping: work.inputFiles)
                return [.made(seqno: seqno, digest: digest, byteCount: UInt64(byteCount))]
            case .fold(let frames):
                try files.replaceBase(with: frames, dropping: work.inputFiles)
                if let (point, runs, changes) = files.queued {
                    files.queued = nil
                    try files.begin(point, runs, changes)
                }
                return []
            }
        }
    }

    /// A failure here costs the node its next snapshots, nothing else.
    private mutating func guarded(_ body: (inout Self) throws -> [SnapshotReport]) -> [SnapshotReport] {
        do { return try body(&self) } catch {
            guard !isStopped else { return [] }
            isStopped = true
            making = nil
            queued = nil
            loose = []
            removeUnfinished()
            return [.stopped(reason: "\(error)")]
        }
    }

    /// What will never be finished gives its room back: that may be what is missing.
    private mutating func removeUnfinished() {
        runs = []
        made = [:]
        base = nil
        for name in (try? storage.list()) ?? [] where name.hasPrefix("part_") || name.hasPrefix("made_") {
            try? remove(name)
        }
    }

    private static func madeFile(_ seqno: UInt64) -> String { "made_\(seqno)" }

    private mutating func newFile() -> String {
        counter += 1
        return "part_\(counter)"
    }

    private mutating func remove(_ file: String) throws {
        opened[file] = nil
        try storage.remove(file)
    }

    // MARK: Start

    private mutating func list() -> [SnapshotReport] {
        guarded { files in
            for name in try files.storage.list() {
                if let snapshot = SnapshotName(name) {
                    let size = try files.storage.size(of: name)
                    files.committed.append(SnapshotListing(name: snapshot, byteCount: UInt64(size)))
                } else if name.hasPrefix("part_") || name.hasPrefix("made_") || name == Self.incomingFile {
                    try files.storage.remove(name)
                }
            }
            files.committed.sort { $0.name < $1.name }
            return []
        } + [.listed(committed)]
    }

    private mutating func open(_ name: SnapshotName, file: String, _ access: SnapshotAccess) -> SnapshotReport {
        do {
            let size = try storage.size(of: file)
            let storage = storage
            let snapshot = try SnapshotFile(byteCount: size) { try storage.read(file, at: $0, count: $1) }
            guard snapshot.id.seqno == name.seqno else {
                throw LedgerError.malformed("the file holds the snapshot at \(snapshot.id)")
            }
            try snapshot.verify(service: access.service, evidence: name.evidence)
            guard let session = access.sessions.first(where: { $0.epoch == snapshot.epoch }) else {
                throw LedgerError.decryption("no session key of epoch \(snapshot.epoch)")
            }
            let frames = snapshot.frames(
                in: file, key: try snapshot.key(session: session, networkID: access.networkID))
            let indices = try frames.indices(
                from: access.ownPrefix, to: Self.behind(prefix: access.ownPrefix), in: storage)
            guard indices.count <= Self.ownFrameCountMax else {
                throw LedgerError.tooLarge("\(indices.count) frames of the network's own maps")
            }
            var maps: [String: [MapWrites.Write]] = [:]
            for index in indices {
                for map in try frames.frame(index, in: storage).maps where map.name.hasPrefix(access.ownPrefix) {
                    maps[map.name, default: []] += map.writes
                }
            }
            let own = WriteSet(
                maps.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map {
                    MapWrites(name: $0, writes: maps[$0] ?? [])
                })
            opened[file] = frames
            return .opened(
                OpenedSnapshot(
                    name: name, byteCount: UInt64(size), id: snapshot.id, leaf: snapshot.leaf,
                    viewHistory: snapshot.viewHistory, publicState: snapshot.publicState, ownMaps: own,
                    digest: snapshot.digest, epoch: snapshot.epoch, frameCount: snapshot.frameCount))
        } catch {
            return .refused(name, reason: "\(error)")
        }
    }

    private mutating func setAside(_ name: SnapshotName) throws -> [SnapshotReport] {
        opened[name.fileName] = nil
        guard committed.contains(where: { $0.name == name }) else { return [] }
        committed.removeAll { $0.name == name }
        try storage.rename(name.fileName, to: name.fileName + ".ignored")
        return []
    }

    /// The first name that comes after all those with the prefix, which is ASCII.
    private static func behind(prefix: String) -> String {
        var bytes = Array(prefix.utf8)
        if let last = bytes.popLast() { bytes.append(min(last, 0x7E) + 1) }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Collecting and making

    /// Whatever was collected is in this snapshot, or forgotten.
    private mutating func rebase(_ name: SnapshotName) throws -> [SnapshotReport] {
        guard let frames = opened[name.fileName] else {
            throw LedgerError.outOfRange("\(name) is not open")
        }
        var files = runs.map(\.file) + (queued?.runs.map(\.file) ?? [])
        if let making { files += making.work.inputFiles + [making.work.file] }
        making = nil
        queued = nil
        runs = []
        loose = []
        looseByteCount = 0
        for seqno in made.keys.sorted() { files.append(Self.madeFile(seqno)) }
        made = [:]
        let old = base
        base = frames
        if let old { files.append(old.file) }
        let present = Set(try storage.list())
        for file in Set(files).sorted() where SnapshotName(file) == nil && present.contains(file) { try remove(file) }
        return []
    }

    private mutating func collect(_ changes: [WriteSet]) throws -> [SnapshotReport] {
        guard !isStopped else { return [] }
        loose += changes
        for each in changes { looseByteCount += each.encodedCount }
        if looseByteCount >= runByteCount { try spill() }
        if making == nil, runs.count >= Self.runCountMax {
            let key = try SnapshotKey(
                session: ephemeral, networkID: [], seqno: counter, nonce: [UInt8](repeating: 1, count: 16))
            let inputs = runs
            runs = []
            making = (
                SnapshotMaking(
                    fold: sources(inputs, []), file: newFile(), key: key, inputFiles: inputs.map(\.file),
                    frameByteCount: frameByteCount), 0
            )
        }
        return []
    }

    /// Writes what is in memory as a sorted run.
    private mutating func spill() throws {
        let file = newFile()
        let key = try SnapshotKey(
            session: ephemeral, networkID: [], seqno: counter, nonce: [UInt8](repeating: 0, count: 16))
        var writer = SealedFrameWriter(file: file, key: key, context: .zero, start: 0)
        let frames = SnapshotChanges.frames(SnapshotChanges.merged(loose), byteCount: frameByteCount / 4)
        for (index, frame) in frames.enumerated() {
            let (piece, offset) = try writer.seal(frame, isLast: index == frames.count - 1)
            try storage.write(piece, to: file, at: offset)
        }
        try storage.truncate(file, to: writer.end)
        runs.append(writer.frames)
        loose = []
        looseByteCount = 0
    }

    private func sources(_ runs: [SealedFrames], _ changes: [WriteSet]) -> [SnapshotMaking.Source] {
        let last: SnapshotMaking.Source = base.map { .sealed($0) } ?? .memory([])
        let newest = changes.isEmpty ? [] : [SnapshotChanges.merged(changes)]
        return [last] + runs.map { .sealed($0) } + [.memory(newest)]
    }

    private mutating func make(_ point: SnapshotPoint, _ changes: [WriteSet]) throws -> [SnapshotReport] {
        guard !isStopped else { return [] }
        let all = loose + changes
        let inputs = runs
        runs = []
        loose = []
        looseByteCount = 0
        if making != nil {
            guard queued == nil, making?.work.isSnapshot == false else {
                throw LedgerError.outOfRange("a snapshot while another is made")
            }
            queued = (point, inputs, all)
        } else {
            try begin(point, inputs, all)
        }
        return []
    }

    private mutating func begin(_ point: SnapshotPoint, _ runs: [SealedFrames], _ changes: [WriteSet]) throws {
        making = (
            try SnapshotMaking(
                point: point, sources: sources(runs, changes), file: newFile(), inputFiles: runs.map(\.file),
                frameByteCount: frameByteCount), point.id.seqno
        )
    }

    private mutating func replaceBase(with frames: SealedFrames, dropping files: [String]) throws {
        let old = base
        base = frames
        opened[frames.file] = frames
        for file in files { try remove(file) }
        if let old, SnapshotName(old.file) == nil, !made.keys.contains(where: { Self.madeFile($0) == old.file }) {
            try remove(old.file)
        }
    }

    // MARK: Committing

    private mutating func commit(
        _ name: SnapshotName, _ receipt: [UInt8], _ others: Set<SnapshotName>
    ) throws -> [SnapshotReport] {
        guard let byteCount = made.removeValue(forKey: name.seqno) else { return [] }
        let file = Self.madeFile(name.seqno)
        try storage.write(receipt, to: file, at: byteCount)
        try storage.truncate(file, to: byteCount + receipt.count)
        try storage.sync(file)
        try storage.rename(file, to: name.fileName)
        if var frames = opened.removeValue(forKey: file) {
            frames.file = name.fileName
            opened[name.fileName] = frames
            if base?.file == file { base = frames }
        }
        making?.work.rename(file, to: name.fileName)
        for seqno in made.keys.sorted() where seqno < name.seqno { _ = try discard(seqno) }
        let listing = SnapshotListing(name: name, byteCount: UInt64(byteCount + receipt.count))
        try keep(listing, others)
        return [.committed(listing)]
    }

    /// Adds a committed snapshot and lets the oldest go.
    private mutating func keep(_ listing: SnapshotListing, _ others: Set<SnapshotName> = []) throws {
        committed.removeAll { $0.name == listing.name }
        committed.append(listing)
        committed.sort { $0.name < $1.name }
        for old in committed.dropLast(SnapshotListing.keptCount) {
            guard old.name.fileName != base?.file, !others.contains(old.name) else { continue }
            try remove(old.name.fileName)
            committed.removeAll { $0.name == old.name }
        }
    }

    private mutating func discard(_ seqno: UInt64) throws -> [SnapshotReport] {
        guard made.removeValue(forKey: seqno) != nil else { return [] }
        let file = Self.madeFile(seqno)
        // As a base it is still what it was made from; it goes with the next one.
        if base?.file != file { try remove(file) }
        return []
    }

    // MARK: Reading and receiving

    private func frame(_ name: SnapshotName, _ index: Int) -> SnapshotReport {
        guard let frames = opened[name.fileName] else {
            return .frameFailed(name, index: index, reason: "\(name) is not open")
        }
        do {
            return .frame(name, index: index, count: frames.ranges.count, try frames.frame(index, in: storage))
        } catch {
            return .frameFailed(name, index: index, reason: "\(error)")
        }
    }

    private func read(_ name: SnapshotName, _ offset: UInt64, _ byteCount: Int, _ peer: String) -> SnapshotReport {
        guard let listing = committed.first(where: { $0.name == name }), offset < listing.byteCount,
            let bytes = try? storage.read(
                name.fileName, at: Int(offset), count: min(byteCount, Int(listing.byteCount - offset))),
            !bytes.isEmpty
        else { return .gone(name, peer: peer) }
        return .chunk(name, offset: offset, bytes, peer: peer)
    }

    private mutating func receive(_ name: SnapshotName, _ offset: UInt64, _ bytes: [UInt8]) -> SnapshotReport {
        do {
            if offset == 0 {
                if try storage.list().contains(Self.incomingFile) { try remove(Self.incomingFile) }
                incoming = (name, 0)
            }
            guard let (current, byteCount) = incoming, current == name, byteCount == offset else {
                throw LedgerError.outOfRange("a part of \(name) at \(offset), where another is due")
            }
            try storage.write(bytes, to: Self.incomingFile, at: Int(offset))
            incoming = (name, offset + UInt64(bytes.count))
            return .received(name, next: offset + UInt64(bytes.count))
        } catch {
            return .receiveFailed(name, reason: "\(error)")
        }
    }

    private mutating func accept(
        _ name: SnapshotName, _ byteCount: UInt64, _ access: SnapshotAccess
    ) -> SnapshotReport {
        do {
            guard let (current, received) = incoming, current == name, received == byteCount else {
                throw LedgerError.outOfRange("not all of \(name) has come")
            }
            incoming = nil
            try storage.truncate(Self.incomingFile, to: Int(byteCount))
            try storage.sync(Self.incomingFile)
            let report = open(name, file: Self.incomingFile, access)
            guard case .opened(let snapshot) = report, var frames = opened.removeValue(forKey: Self.incomingFile)
            else {
                try remove(Self.incomingFile)
                return report
            }
            try storage.rename(Self.incomingFile, to: name.fileName)
            frames.file = name.fileName
            opened[name.fileName] = frames
            try keep(SnapshotListing(name: name, byteCount: snapshot.byteCount))
            return report
        } catch {
            return .refused(name, reason: "\(error)")
        }
    }
}

extension SnapshotFiles: Sendable where Storage: Sendable {}
