internal import Glibc

/// Opens TCP connections for managers, which can't.
enum Connector {
    /// A connected, non-blocking, close-on-exec socket. Blocks for at most the timeout, name resolution aside.
    /// - Throws: ``HostError``.
    static func connect(host: String, port: UInt16, timeoutMilliseconds: UInt32) throws(HostError) -> CInt {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, String(port), &hints, &found)
        guard result == 0 else {
            throw .unavailable("\(host): \(gai_strerror(result).map { String(cString: $0) } ?? "no address")")
        }
        defer { freeaddrinfo(found) }
        let end = HostClock.monotonicMicroseconds() + UInt64(timeoutMilliseconds) * 1000
        var failure = HostError.unavailable("\(host) has no address")
        var next = found
        while let info = next {
            do throws(HostError) {
                return try connect(info.pointee, "\(host) port \(port)", end)
            } catch {
                failure = error
            }
            next = info.pointee.ai_next
        }
        throw failure
    }

    private static func connect(_ info: addrinfo, _ name: String, _ end: UInt64) throws(HostError) -> CInt {
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(info.ai_family, kind, 0)
        guard descriptor >= 0 else { throw .system("socket") }
        do throws(HostError) {
            if Glibc.connect(descriptor, info.ai_addr, info.ai_addrlen) != 0 {
                guard errno == EINPROGRESS else { throw .system("connecting to \(name)") }
                try wait(descriptor, name, end)
            }
            var one: CInt = 1
            _ = setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
            // Between nodes, one that acknowledges nothing for this long is gone: a new connection is there at once when
            // the way is free again, while an old one would wait for its next retransmission.
            var patience: CInt = 5_000
            _ = setsockopt(
                descriptor, CInt(IPPROTO_TCP), CInt(TCP_USER_TIMEOUT), &patience, socklen_t(MemoryLayout<CInt>.size))
            return descriptor
        } catch {
            Descriptor.close(descriptor)
            throw error
        }
    }

    private static func wait(_ descriptor: CInt, _ name: String, _ end: UInt64) throws(HostError) {
        while true {
            let now = HostClock.monotonicMicroseconds()
            guard now < end else { throw .timeout("connecting to \(name)") }
            var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let count = poll(&entry, 1, CInt(clamping: (end - now) / 1000 + 1))
            if count < 0, errno != EINTR { throw .system("connecting to \(name)") }
            if count > 0 { break }
        }
        var failure: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length) == 0 else { throw .system("getsockopt") }
        guard failure == 0 else { throw .system("connecting to \(name)", failure) }
    }
}
