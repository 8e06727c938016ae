public import Store

/// Makes the state of a new snapshot from the last one and the changes since, without holding either as a whole: all are
/// sorted by map and key, and so is what comes out. State and changes come and go in frames, write sets that each go on
/// where the one before ended.
///
/// Source 0 is the last snapshot, the others are runs of changes, each newer than the one before. Where several have a
/// key, the newest counts; a removal leaves the key out.
public struct SnapshotMerge: Sendable {
    /// What the merge needs, or gives.
    public enum Step: Sendable, Hashable {
        /// The next frame of this source, by ``supply(_:from:)``.
        case needs(source: Int)
        /// The next frame of the result.
        case frame(WriteSet, isLast: Bool)
        /// All was given.
        case done
    }

    /// A frame is given out once it has reached this many bytes.
    public let frameByteCount: Int

    private var sources: [Source]
    /// Sources that have a change at hand, the one that comes first on top.
    private var heap: [Int] = []
    private var waiting: [Int]
    private var maps: [MapWrites] = []
    private var name: String?
    private var pairs: [MapWrites.Write] = []
    private var byteCount = 0
    private var full: WriteSet?
    private var isFinished = false

    private struct Source: Sendable {
        var maps: [MapWrites] = []
        var map = 0
        var write = 0
        var remove = 0
        var name = ""
        var key: [UInt8] = []
        var value: [UInt8]?
        /// Where the frames so far ended.
        var last: (name: String, key: [UInt8])?
    }

    /// Begins a merge of `sourceCount` sources, at least the one that is the last snapshot.
    public init(sourceCount: Int, frameByteCount: Int = SnapshotMerge.standardFrameByteCount) {
        precondition(sourceCount > 0, "a merge of nothing")
        self.frameByteCount = frameByteCount
        sources = Array(repeating: Source(), count: sourceCount)
        waiting = Array((0..<sourceCount).reversed())
    }

    /// Bytes of a frame: what is in memory of each source at a time.
    public static let standardFrameByteCount = 1 << 20

    /// Goes on until something is needed or a frame is full.
    public mutating func next() -> Step {
        while true {
            if let frame = full {
                full = nil
                return .frame(frame, isLast: false)
            }
            if let source = waiting.last { return .needs(source: source) }
            guard let top = heap.first else { break }
            take(top)
        }
        guard !isFinished else { return .done }
        isFinished = true
        closeMap()
        defer { maps = [] }
        return .frame(WriteSet(sorted: maps), isLast: true)
    }

    /// Takes the next frame of a source, nil at its end.
    /// - Throws: ``LedgerError/malformed(_:file:line:)`` when the frame does not go on where the one before ended, or
    ///   when the last snapshot's removes a key.
    public mutating func supply(_ frame: WriteSet?, from source: Int) throws(LedgerError) {
        guard waiting.last == source else { throw .malformed("a frame of a source that needs none") }
        guard let frame else {
            waiting.removeLast()
            return
        }
        if source == 0, frame.maps.contains(where: { !$0.removes.isEmpty }) {
            throw .malformed("a frame of a snapshot removes a key")
        }
        let last = sources[source].last
        sources[source] = Source(maps: frame.maps, last: last)
        guard advance(source) else { return }
        if let last, !Self.precedes((last.name, last.key), (sources[source].name, sources[source].key)) {
            throw .malformed("frames of a snapshot out of order")
        }
        waiting.removeLast()
        push(source)
    }

    /// Moves a source to its next change; false when its frame is used up.
    private mutating func advance(_ index: Int) -> Bool {
        while sources[index].map < sources[index].maps.count {
            let map = sources[index].maps[sources[index].map]
            let write = sources[index].write < map.writes.count ? map.writes[sources[index].write] : nil
            let remove = sources[index].remove < map.removes.count ? map.removes[sources[index].remove] : nil
            sources[index].name = map.name
            if let write, remove.map({ ByteOrder.precedes(write.key, $0) }) ?? true {
                sources[index].write += 1
                sources[index].key = write.key
                sources[index].value = write.value
                return true
            }
            if let remove {
                sources[index].remove += 1
                sources[index].key = remove
                sources[index].value = nil
                return true
            }
            sources[index].map += 1
            sources[index].write = 0
            sources[index].remove = 0
        }
        return false
    }

    /// Takes the change on top, and drops what older sources say about its key.
    private mutating func take(_ top: Int) {
        let (name, key, value) = (sources[top].name, sources[top].key, sources[top].value)
        pass(top)
        while let next = heap.first, sources[next].key == key, sources[next].name == name { pass(next) }
        if let value { put(name, .init(key: key, value: value)) }
    }

    /// The change of the source on top is done with.
    private mutating func pass(_ top: Int) {
        sources[top].last = (sources[top].name, sources[top].key)
        if advance(top) {
            siftDown()
        } else {
            waiting.append(top)
            let moved = heap.removeLast()
            if !heap.isEmpty {
                heap[0] = moved
                siftDown()
            }
        }
    }

    private mutating func put(_ name: String, _ write: MapWrites.Write) {
        // A full frame waits for what comes after it, so that the last one is known as such, and is never empty.
        if byteCount >= frameByteCount {
            closeMap()
            full = WriteSet(sorted: maps)
            maps = []
            byteCount = 0
        }
        if self.name != name {
            closeMap()
            self.name = name
        }
        pairs.append(write)
        byteCount += 16 + write.key.count + write.value.count
    }

    private mutating func closeMap() {
        if let name, !pairs.isEmpty { maps.append(MapWrites(name: name, sortedWrites: pairs, sortedRemoves: [])) }
        name = nil
        pairs = []
    }

    // MARK: The heap

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        if sources[left].name != sources[right].name {
            return sources[left].name.utf8.lexicographicallyPrecedes(sources[right].name.utf8)
        }
        let order = ByteOrder.compare(sources[left].key, sources[right].key)
        return order == 0 ? left > right : order < 0
    }

    private mutating func push(_ source: Int) {
        heap.append(source)
        var child = heap.count - 1
        while child > 0, isBefore(heap[child], heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var first = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isBefore(heap[child], heap[first])
            {
                first = child
            }
            guard first != parent else { return }
            heap.swapAt(parent, first)
            parent = first
        }
    }

    private static func precedes(_ left: (name: String, key: [UInt8]), _ right: (name: String, key: [UInt8])) -> Bool {
        if left.name == right.name { return ByteOrder.precedes(left.key, right.key) }
        return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
}
