internal import CHostShim
internal import Glibc

/// SIGTERM and SIGINT as a descriptor, instead of as an interruption. Blocks both for the calling thread as long as it
/// lives.
final class SignalWatch {
    /// Becomes readable when a signal has come.
    let descriptor: CInt
    private var before = sigset_t()

    init() throws(HostError) {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        guard pthread_sigmask(SIG_BLOCK, &signals, &before) == 0 else {
            throw .configuration("signals can't be blocked")
        }
        descriptor = host_shim_signal_watch(&signals)
        guard descriptor >= 0 else { throw .system("signalfd", -descriptor) }
    }

    deinit {
        Descriptor.close(descriptor)
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }

    /// Number of the signal that came, 0 if none did.
    func read() -> CInt { host_shim_signal_take(descriptor) }
}
