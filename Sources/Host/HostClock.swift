internal import Glibc

/// The machine's clocks. The host may lie about both; what depends on them says so.
public enum HostClock {
    /// Microseconds since some fixed moment, never going back; goes on while the machine sleeps (CLOCK_BOOTTIME).
    public static func monotonicMicroseconds() -> UInt64 {
        let time = read(CLOCK_BOOTTIME)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
    }

    /// Milliseconds since 1970, UTC.
    public static func wallMilliseconds() -> UInt64 {
        let time = read(CLOCK_REALTIME)
        return UInt64(max(0, time.tv_sec)) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }

    /// Processor time this process has used, in microseconds.
    public static func processMicroseconds() -> UInt64 {
        let time = read(CLOCK_PROCESS_CPUTIME_ID)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
    }

    /// Processor time the calling thread has used, in nanoseconds.
    public static func threadNanoseconds() -> UInt64 {
        let time = read(CLOCK_THREAD_CPUTIME_ID)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        // Fails only for a clock that does not exist or a bad address; neither can happen here.
        precondition(clock_gettime(clock, &time) == 0, "clock \(clock) is missing")
        return time
    }
}
