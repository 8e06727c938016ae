import AdapterKit
import Glibc

/// Frames over a connected stream socket: `u32` length, little-endian, then that many bytes. Blocking; used by one thread.
struct FrameSocket: ~Copyable {
    private let descriptor: Int32
    private let frameBytesMax: Int
    private var input: [UInt8] = []
    /// Bytes of `input` that were given out as frames.
    private var consumed = 0
    private var output: [UInt8] = []
    private var chunk: [UInt8]

    /// Frames over `descriptor`, which stays the caller's to close.
    init(descriptor: Int32, frameBytesMax: Int) {
        self.descriptor = descriptor
        self.frameBytesMax = frameBytesMax
        chunk = [UInt8](repeating: 0, count: FrameSocket.readBytes)
    }

    /// Bytes asked for in one read.
    private static let readBytes = 256 << 10

    /// Waits for at least one frame and gives all that have arrived, at most `limit`; nil at the end of the stream.
    /// - Throws: ``AdapterError`` for a frame over the limit, an end within a frame, or a failed call.
    mutating func receive(limit: Int) throws(AdapterError) -> [[UInt8]]? {
        while true {
            var frames: [[UInt8]] = []
            while frames.count < limit, let frame = try nextFrame() { frames.append(frame) }
            if !frames.isEmpty { return frames }
            let count = try read()
            if count == 0 {
                if consumed < input.count { throw .closed }
                return nil
            }
        }
    }

    /// Puts a frame into the buffer of ``flush()``.
    mutating func send(_ frame: [UInt8]) throws(AdapterError) {
        guard frame.count <= frameBytesMax else { throw .tooLarge("a frame", limit: frameBytesMax) }
        withUnsafeBytes(of: UInt32(frame.count).littleEndian) { output.append(contentsOf: $0) }
        output.append(contentsOf: frame)
    }

    /// Bytes that wait for ``flush()``.
    var pending: Int { output.count }

    /// Writes what was put in.
    mutating func flush() throws(AdapterError) {
        var sent = 0
        while sent < output.count {
            let count = output.withUnsafeBytes { bytes in
                Glibc.send(
                    descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent,
                    Int32(truncatingIfNeeded: Int(MSG_NOSIGNAL)))
            }
            if count >= 0 {
                sent += count
            } else {
                try wait("send", Int16(POLLOUT))
            }
        }
        output.removeAll(keepingCapacity: output.capacity <= 4 << 20)
    }

    private mutating func nextFrame() throws(AdapterError) -> [UInt8]? {
        let available = input.count - consumed
        guard available >= 4 else { return nil }
        let length = Int(
            UInt32(littleEndian: input.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: consumed, as: UInt32.self) }))
        guard length <= frameBytesMax else { throw .tooLarge("a frame", limit: frameBytesMax) }
        guard available - 4 >= length else { return nil }
        let frame = Array(input[consumed + 4..<consumed + 4 + length])
        consumed += 4 + length
        return frame
    }

    private mutating func read() throws(AdapterError) -> Int {
        if consumed > 0 {
            input.removeSubrange(..<consumed)
            consumed = 0
        }
        while true {
            let count = chunk.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count >= 0 {
                input.append(contentsOf: chunk[..<count])
                return count
            }
            try wait("recv", Int16(POLLIN))
        }
    }

    /// After a call that failed: returns if it is worth another try.
    private func wait(_ call: String, _ events: Int16) throws(AdapterError) {
        let code = errno
        switch code {
        case EINTR: return
        case EAGAIN:
            var entry = pollfd(fd: descriptor, events: events, revents: 0)
            _ = poll(&entry, 1, -1)
        default: throw .io(call, errno: code)
        }
    }
}
