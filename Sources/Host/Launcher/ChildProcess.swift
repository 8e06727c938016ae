internal import CHostShim
internal import Glibc

/// A process that the launcher started.
package final class ChildProcess {
    /// Its process id.
    package let process: CInt
    /// A descriptor that becomes readable when it ends.
    package let watch: CInt
    private var reaped = false

    /// Starts the executable behind `executable`.
    /// - Parameters:
    ///   - descriptors: they become descriptors 3, 4, … of the child, which gets no others but 0 to 2.
    ///   - environment: "NAME=value"; nothing of ours is inherited.
    ///   - diesWithThread: whether the child is killed when the calling thread ends.
    package init(
        executable: File, arguments: [String], environment: [String], descriptors: [CInt], diesWithThread: Bool = true
    ) throws(HostError) {
        var argumentPointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var environmentPointers: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        let result = host_shim_spawn(
            executable.descriptor, &argumentPointers, &environmentPointers, descriptors, descriptors.count,
            diesWithThread ? 1 : 0)
        guard result > 0 else { throw .system("starting \(executable.name)", -result) }
        process = result
        let watching = host_shim_pidfd_open(process)
        guard watching >= 0 else {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
            throw .system("watching \(executable.name)", -watching)
        }
        watch = watching
    }

    deinit {
        if !reaped {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
        }
        Descriptor.close(watch)
    }

    /// Sends a signal.
    package func signal(_ number: CInt) { if !reaped { kill(process, number) } }

    /// Kills it unless it has ended, and waits for its end.
    package func end() -> ProcessEnd {
        if !reaped { kill(process, SIGKILL) }
        var status: CInt = 0
        while !reaped {
            let result = waitpid(process, &status, 0)
            if result == process || errno != EINTR { reaped = true }
        }
        return ProcessEnd(waitStatus: status)
    }

    /// How it ended; nil while it runs.
    package func poll() -> ProcessEnd? {
        var status: CInt = 0
        guard !reaped, waitpid(process, &status, WNOHANG) == process else { return nil }
        reaped = true
        return ProcessEnd(waitStatus: status)
    }
}

/// How a process ended.
public enum ProcessEnd: Hashable, Sendable, CustomStringConvertible {
    /// It called exit with this code.
    case exited(CInt)
    /// This signal ended it.
    case signaled(CInt)

    init(waitStatus status: CInt) {
        let signal = status & 0x7f
        self = signal == 0 ? .exited(status >> 8 & 0xff) : .signaled(signal)
    }

    /// The code a shell would report.
    public var code: CInt {
        switch self {
        case .exited(let code): code
        case .signaled(let signal): 128 + signal
        }
    }

    /// "exit code 3", "signal 9 (Killed)".
    public var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signaled(let signal): "signal \(signal) (\(String(cString: strsignal(signal))))"
        }
    }
}
