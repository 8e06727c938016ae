internal import CHostShim
internal import Glibc

/// What happens when the kernel can't do all of the sandbox.
public enum SandboxMode: String, Hashable, Sendable, CaseIterable {
    /// The process does not start.
    case required
    /// It starts with what there is, and says what is missing.
    case bestEffort = "best-effort"
}

/// Whose sandbox it is.
public enum SandboxRole: Hashable, Sendable {
    /// A manager: files below this folder, the sockets it holds, nothing else.
    case manager(dataFolder: CInt)
    /// A worker: no file, the one socket it holds, nothing else. It must not use Swift's tasks, whose threads libdispatch
    /// watches through files of /proc; plain threads are fine.
    case worker
}

/// What came of ``Sandbox/apply(_:mode:)``.
public struct SandboxReport: Hashable, Sendable {
    /// Landlock version used, 0 if none.
    public var landlockVersion = 0
    /// Whether the system call filter is in place.
    public var hasFilter = false
    /// What could not be had, for the log; empty when all is in place.
    public var missing: [String] = []
}

/// Takes from this process, for ever, what an enclave process does not need. Defence in depth: on the `software`
/// platform the host is trusted anyway, but a hole in our parsers then gives no socket, no shell, no file.
public enum Sandbox {
    /// Applies the sandbox: no new privileges, no core dumps and no tracing, no capabilities, Landlock, seccomp. To be called when the
    /// process has its descriptors and before it starts a thread (Landlock binds the calling thread and those it starts).
    /// - Throws: ``HostError`` if something is missing and `mode` is ``SandboxMode/required``, or if threads run already.
    public static func apply(_ role: SandboxRole, mode: SandboxMode) throws(HostError) -> SandboxReport {
        guard try threadCount() == 1 else {
            throw .configuration("the sandbox must be applied before any thread is started")
        }
        var report = SandboxReport()
        var noCore = rlimit(rlim_cur: 0, rlim_max: 0)
        guard setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &noCore) == 0 else { throw .system("RLIMIT_CORE") }
        try control(HOST_SHIM_PR_SET_DUMPABLE, 0, "PR_SET_DUMPABLE")
        try control(HOST_SHIM_PR_SET_NO_NEW_PRIVS, 1, "PR_SET_NO_NEW_PRIVS")
        // Root's right to go past file modes stays with a manager, since Landlock says which files there are at all.
        let kept: UInt32 = if case .manager = role { 1 << 1 } else { 0 }
        let dropped = host_shim_keep_capabilities(kept)
        guard dropped == 0 else { throw .system("capset", -dropped) }
        do throws(HostError) {
            report.landlockVersion = try Landlock.restrict(role)
        } catch {
            guard mode == .bestEffort, error.isUnavailable else { throw error }
            report.missing.append(error.description)
        }
        do throws(HostError) {
            try SystemCallFilter.load(role)
            report.hasFilter = true
        } catch {
            guard mode == .bestEffort, error.isUnavailable else { throw error }
            report.missing.append(error.description)
        }
        return report
    }

    private static func control(_ option: Int, _ argument: UInt, _ name: String) throws(HostError) {
        let result = host_shim_prctl(CInt(option), argument)
        guard result >= 0 else { throw .system(name, -result) }
    }

    private static func threadCount() throws(HostError) -> Int {
        try Directory(path: "/proc/self/task").list().count
    }
}
