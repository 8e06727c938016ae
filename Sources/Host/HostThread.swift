internal import CHostShim
internal import Glibc

/// A thread of our own, for work that blocks.
public struct HostThread: Sendable {
    private let handle: pthread_t

    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void

        init(_ name: String, _ run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts a thread.
    /// - Parameters:
    ///   - name: at most 15 bytes are shown by the system.
    ///   - body: what it runs; the thread ends with it.
    /// - Throws: ``HostError``.
    public static func start(
        _ name: String, _ body: @escaping @Sendable () -> Void
    ) throws(HostError) -> HostThread {
        var handle = pthread_t()
        let argument = Unmanaged.passRetained(Body(name, body))
        let result = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                host_shim_name_thread(body.name)
                body.run()
                return nil
            }, argument.toOpaque())
        guard result == 0 else {
            argument.release()
            throw .system("starting thread \(name)", result)
        }
        return HostThread(handle: handle)
    }

    /// Waits for the end of the thread; once, or ``detach()`` instead.
    public func join() { pthread_join(handle, nil) }

    /// Lets the thread end unwatched.
    public func detach() { pthread_detach(handle) }
}
