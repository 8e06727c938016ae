internal import Glibc

/// How a worker begins: it has its launcher look at the code that it has loaded before its manager is at the other end of
/// the socket. One byte each way, before the first frame.
public enum WorkerHost {
    /// The descriptor at which a worker finds the socket.
    public static let descriptor = ManagerHost.descriptor

    private static let hello: UInt8 = 0x68
    private static let go: UInt8 = 0x67

    /// Tells the launcher that everything is loaded and waits for its consent. To be called first in the process, before
    /// the sandbox, which hides the process from the launcher.
    /// - Throws: ``HostError``.
    public static func takeOver(descriptor: CInt = WorkerHost.descriptor) throws(HostError) {
        var byte = hello
        guard send(descriptor, &byte, 1, CInt(truncatingIfNeeded: Int(MSG_NOSIGNAL))) == 1 else {
            throw .configuration("no launcher; a worker is started by its launcher")
        }
        guard recv(descriptor, &byte, 1, 0) == 1, byte == go else { throw .closed("the launcher is gone") }
    }

    /// The launcher's side: waits for the worker, checks its code, lets it go on.
    static func admit(
        _ socket: CInt, process: pid_t, measurement: Measurement, timeoutMilliseconds: CInt = 10_000
    ) throws(HostError) {
        var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        var count = poll(&entry, 1, timeoutMilliseconds)
        while count < 0, errno == EINTR { count = poll(&entry, 1, timeoutMilliseconds) }
        guard count > 0 else { throw .timeout("a worker that has not loaded") }
        var byte: UInt8 = 0
        guard recv(socket, &byte, 1, 0) == 1 else { throw .closed("the worker ended at its start") }
        guard byte == hello else { throw .protocolViolation("a worker that does not say hello") }
        try measurement.check(process: process)
        byte = go
        guard send(socket, &byte, 1, CInt(truncatingIfNeeded: Int(MSG_NOSIGNAL))) == 1 else {
            throw .closed("the worker ended at its start")
        }
    }
}
