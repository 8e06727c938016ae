internal import Glibc

/// Looks at a descriptor before NIO gets it: NIO aborts the process over one that is no socket.
enum SocketCheck {
    /// Accepts a stream socket that listens, or one that does not; closes any other descriptor.
    static func check(_ descriptor: CInt, listens: Bool) throws(TransportError) {
        do throws(TransportError) {
            guard try option(descriptor, SO_TYPE) == CInt(SOCK_STREAM.rawValue) else {
                throw .descriptor("descriptor \(descriptor) is not a stream socket")
            }
            guard try (option(descriptor, SO_ACCEPTCONN) != 0) == listens else {
                throw .descriptor("descriptor \(descriptor) \(listens ? "does not listen" : "listens")")
            }
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func option(_ descriptor: CInt, _ name: CInt) throws(TransportError) -> CInt {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 else {
            throw .descriptor("descriptor \(descriptor) is not a socket")
        }
        return value
    }
}
