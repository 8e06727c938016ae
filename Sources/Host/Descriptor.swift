internal import Glibc

/// File descriptors that are passed between processes. Descriptors made here are close-on-exec, as every descriptor of
/// ours must be: what a child gets is listed, not inherited.
public enum Descriptor {
    /// Closes `descriptor`; for one that may already be gone, as after a hand-over.
    public static func close(_ descriptor: CInt) {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    /// Another descriptor for the same thing.
    /// - Throws: ``HostError``.
    public static func duplicate(_ descriptor: CInt) throws(HostError) -> CInt {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw .system("duplicating descriptor \(descriptor)") }
        return copy
    }

    /// Two ends of a local stream connection.
    /// - Throws: ``HostError``.
    public static func streamPair() throws(HostError) -> (CInt, CInt) {
        var ends: [CInt] = [-1, -1]
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw .system("socketpair") }
        return (ends[0], ends[1])
    }

    /// Opens a folder.
    /// - Throws: ``HostError``.
    public static func openFolder(_ path: String) throws(HostError) -> CInt {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("opening folder \(path)") }
        return descriptor
    }

    /// A listening TCP socket.
    /// - Parameters:
    ///   - host: address to bind, "127.0.0.1", "::1", "0.0.0.0"; not a name, since what a name means can change.
    ///   - port: port to bind, 0 for any free one.
    /// - Throws: ``HostError``.
    public static func listen(host: String, port: UInt16, backlog: CInt = 256) throws(HostError) -> CInt {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let info = found else {
            throw .configuration("\(host) is not an IP address")
        }
        defer { freeaddrinfo(found) }
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(info.pointee.ai_family, kind, 0)
        guard descriptor >= 0 else { throw .system("socket") }
        var one: CInt = 1
        _ = setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
        guard bind(descriptor, info.pointee.ai_addr, info.pointee.ai_addrlen) == 0,
            Glibc.listen(descriptor, backlog) == 0
        else {
            let failure = errno
            close(descriptor)
            throw .system("listening on \(host) port \(port)", failure)
        }
        return descriptor
    }

    /// Port that a TCP socket is bound to.
    /// - Throws: ``HostError``.
    public static func port(of descriptor: CInt) throws(HostError) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { throw .system("getsockname") }
        // In both families the port lies behind the two bytes of the family.
        return withUnsafeBytes(of: storage) { UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self)) }
    }
}
