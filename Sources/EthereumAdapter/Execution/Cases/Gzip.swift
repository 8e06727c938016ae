import CZlib

/// Inflates gzip files (RFC 1952) with zlib: replay cases come packed.
public enum Gzip {
    /// Why bytes could not be inflated.
    public enum Failure: Error, Hashable, Sendable {
        /// No gzip data, or damaged.
        case corrupt
        /// The file ends early.
        case truncated
        /// More than the limit comes out.
        case tooLarge(limit: Int)
        /// zlib could not start.
        case unavailable
    }

    /// Whether bytes begin as gzip data do.
    public static func isCompressed(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b
    }

    /// The content of the first member of a gzip file.
    /// - Parameters:
    ///   - bytes: The file.
    ///   - limit: The most bytes that may come out.
    /// - Throws: ``Failure``.
    public static func inflate(_ bytes: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
        var stream = z_stream()
        // 31: the largest window, and a gzip header.
        guard inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .unavailable
        }
        defer { inflateEnd(&stream) }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var input = bytes
        guard input.count <= UInt32.max else { throw .tooLarge(limit: limit) }
        let status = input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            var status = Z_OK
            while status == Z_OK, output.count <= limit {
                let produced = chunk.withUnsafeMutableBufferPointer { chunk in
                    stream.next_out = chunk.baseAddress
                    stream.avail_out = UInt32(chunk.count)
                    status = CZlib.inflate(&stream, Z_NO_FLUSH)
                    return chunk.count - Int(stream.avail_out)
                }
                output += chunk[..<produced]
            }
            return status
        }
        guard output.count <= limit else { throw .tooLarge(limit: limit) }
        switch status {
        case Z_STREAM_END: return output
        case Z_BUF_ERROR: throw .truncated
        default: throw .corrupt
        }
    }
}
