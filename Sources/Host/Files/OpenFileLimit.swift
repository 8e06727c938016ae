internal import Glibc

/// How many descriptors a process may have, which bounds the connections of a node.
public enum OpenFileLimit {
    /// Descriptors beside connections: the ledger's files, pipes, the event loop's own.
    public static let reserve: UInt64 = 256

    /// The most that this process may ask for.
    public static var most: UInt64 { limits.map { UInt64($0.rlim_max) } ?? 0 }

    /// Takes as many as the system allows; processes that are started later inherit it. A system that refuses leaves what
    /// there is.
    public static func raise() {
        guard var limits, limits.rlim_cur < limits.rlim_max else { return }
        limits.rlim_cur = limits.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
    }

    private static var limits: rlimit? {
        var limits = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 ? limits : nil
    }
}
