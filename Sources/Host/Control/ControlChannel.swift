internal import CHostShim
internal import Glibc

/// Messages with descriptors over a local stream socket. Each message is a `u32` length (little-endian), the number of
/// descriptors (`u8`) and the bytes; the descriptors come with the first of them.
///
/// Any thread may send; one thread receives. Blocks.
public final class ControlChannel: Sendable {
    private let descriptor: CInt
    private let sending = Monitor(false)

    /// Takes over one end of a socket pair.
    public init(descriptor: CInt) {
        self.descriptor = descriptor
    }

    deinit { Descriptor.close(descriptor) }

    /// The socket, for polling.
    public var socket: CInt { descriptor }

    /// Bounds how long sending and the middle of a message may take, in milliseconds.
    /// - Throws: ``HostError``.
    public func setTimeout(milliseconds: Int) throws(HostError) {
        var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            guard
                setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size)) == 0
            else { throw .system("setting a timeout") }
        }
    }

    /// Sends a message. The descriptors stay the caller's to close.
    /// - Throws: ``HostError``.
    public func send(_ message: [UInt8], descriptors: [CInt] = []) throws(HostError) {
        guard message.count <= ControlProtocol.messageBytesMax, descriptors.count <= ControlProtocol.descriptorsMax
        else { throw .tooLarge("a control message of \(message.count) bytes") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(message.count + 5)
        withUnsafeBytes(of: UInt32(message.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(descriptors.count))
        bytes.append(contentsOf: message)
        let failure: CInt = sending.update { _ in
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes { buffer in
                    host_shim_send(
                        descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent, descriptors,
                        sent == 0 ? descriptors.count : 0)
                }
                guard count >= 0 else { return CInt(-count) }
                sent += count
            }
            return 0
        }
        guard failure == 0 else { throw Self.error(failure, "sending a control message") }
    }

    /// Waits for the next message; nil at the end of the stream. The descriptors are the caller's to close.
    /// - Throws: ``HostError``.
    public func receive() throws(HostError) -> (message: [UInt8], descriptors: [CInt])? {
        var descriptors: [CInt] = []
        do throws(HostError) {
            guard let header = try read(5, &descriptors, mayEnd: true) else { return nil }
            let length = header[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
            guard length <= ControlProtocol.messageBytesMax else {
                throw .protocolViolation("a control message of \(length) bytes")
            }
            let message = try read(length, &descriptors, mayEnd: false) ?? []
            guard descriptors.count == Int(header[4]) else {
                throw .protocolViolation("\(descriptors.count) descriptors came, \(header[4]) were announced")
            }
            return (message, descriptors)
        } catch {
            for descriptor in descriptors { Descriptor.close(descriptor) }
            throw error
        }
    }

    private func read(_ count: Int, _ descriptors: inout [CInt], mayEnd: Bool) throws(HostError) -> [UInt8]? {
        var bytes: [UInt8] = []
        // Grows with what comes, not with what was announced.
        var chunk = [UInt8](repeating: 0, count: min(count, 64 << 10))
        while bytes.count < count {
            var arrived = [CInt](repeating: -1, count: ControlProtocol.descriptorsMax)
            var arrivedCount = arrived.count
            let got = chunk.withUnsafeMutableBytes { buffer in
                host_shim_receive(
                    descriptor, buffer.baseAddress, min(buffer.count, count - bytes.count), &arrived, &arrivedCount)
            }
            guard got >= 0 else { throw Self.error(CInt(-got), "receiving a control message") }
            descriptors.append(contentsOf: arrived[..<arrivedCount])
            if got == 0 {
                if mayEnd, bytes.isEmpty { return nil }
                throw .closed("the control channel ended within a message")
            }
            bytes.append(contentsOf: chunk[..<got])
        }
        return bytes
    }

    private static func error(_ number: CInt, _ what: String) -> HostError {
        switch number {
        case EPIPE, ECONNRESET: .closed("\(what): the other end is gone")
        case EAGAIN: .timeout("\(what): the other end does not read")
        default: .system(what, number)
        }
    }
}
