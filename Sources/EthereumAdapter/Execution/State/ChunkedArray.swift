/// An array that grows a chunk at a time: no pause to move ten million records, no half-empty doubling, and a copy
/// shares all chunks until one of them is written to.
struct ChunkedArray<Element: Sendable>: Sendable {
    private var chunks: [ContiguousArray<Element>] = []
    private(set) var count = 0

    /// Elements of a chunk: 512 of the records of about 100 bytes make a copy-on-write unit of 50 kB.
    private static var chunkShift: Int { 9 }
    private static var chunkSize: Int { 1 << chunkShift }

    mutating func append(_ element: Element) {
        if count & (Self.chunkSize - 1) == 0 {
            var chunk = ContiguousArray<Element>()
            // The first chunk grows as an ordinary array does: most tables of a test or a small ledger stay tiny.
            if count > 0 { chunk.reserveCapacity(Self.chunkSize) }
            chunks.append(chunk)
        }
        chunks[chunks.count - 1].append(element)
        count += 1
    }

    subscript(index: Int) -> Element {
        @inline(__always) _read { yield chunks[index >> Self.chunkShift][index & (Self.chunkSize - 1)] }
        @inline(__always) _modify { yield &chunks[index >> Self.chunkShift][index & (Self.chunkSize - 1)] }
    }
}
