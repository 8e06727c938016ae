/// Cuts a byte stream into frames: a little-endian `u32` length and that many bytes. Sans-IO.
package struct FrameDecoder {
    /// Largest frame taken.
    package var frameBytesMax: Int
    private var pending: [UInt8] = []

    package init(frameBytesMax: Int) {
        self.frameBytesMax = frameBytesMax
    }

    /// The announced length of a frame that is over the limit.
    package struct TooLarge: Error { package let bytes: Int }

    /// Adds what arrived and appends each frame that is now complete to `frames`. Memory follows what arrived, never
    /// what a length announces.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer, into frames: inout [[UInt8]]) throws(TooLarge) {
        if pending.isEmpty {
            let used = try cut(bytes, into: &frames)
            pending.append(contentsOf: bytes[used...])
            return
        }
        pending.append(contentsOf: bytes)
        let limit = frameBytesMax
        var decoded: [[UInt8]] = []
        let result = pending.withUnsafeBytes { buffer -> Result<Int, TooLarge> in
            Result { () throws(TooLarge) in try Self.cut(buffer, limit: limit, into: &decoded) }
        }
        frames.append(contentsOf: decoded)
        let used = try result.get()
        if used == pending.count {
            pending.removeAll(keepingCapacity: used <= 1 << 20)
        } else {
            pending.removeFirst(used)
        }
    }

    private func cut(_ bytes: UnsafeRawBufferPointer, into frames: inout [[UInt8]]) throws(TooLarge) -> Int {
        try Self.cut(bytes, limit: frameBytesMax, into: &frames)
    }

    private static func cut(
        _ bytes: UnsafeRawBufferPointer, limit: Int, into frames: inout [[UInt8]]
    ) throws(TooLarge) -> Int {
        var offset = 0
        while bytes.count - offset >= 4 {
            let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            guard length <= limit else { throw TooLarge(bytes: length) }
            guard bytes.count - offset - 4 >= length else { break }
            frames.append(Array(UnsafeRawBufferPointer(rebasing: bytes[offset + 4..<offset + 4 + length])))
            offset += 4 + length
        }
        return offset
    }
}
