internal import Glibc

/// Processor time of other processes on this machine.
public enum ProcessClock {
    /// Processor time, user and system, that a process has used since it started, in nanoseconds; nil if it is gone.
    ///
    /// The process's own POSIX clock is exact; where it can't be read, `utime + stime` of `/proc/PID/stat` (proc(5))
    /// stands in, which counts in hundredths of a second.
    public static func nanoseconds(of process: Int32) -> UInt64? {
        // A clock id holds 29 bits of the process id; beyond, the C library would name some other clock.
        guard process > 0, process < 1 << 28 else { return nil }
        var clock = clockid_t()
        var time = timespec()
        if clock_getcpuclockid(process, &clock) == 0, clock_gettime(clock, &time) == 0 {
            return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        }
        guard let text = read("/proc/\(process)/stat"), let ticks = parseStat(text) else { return nil }
        let perSecond = UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))
        return ticks * (1_000_000_000 / perSecond)
    }

    /// The name of a process, at most 15 bytes of it; nil if it is gone.
    public static func name(of process: Int32) -> String? {
        read("/proc/\(process)/comm")?.split(separator: "\n").first.map(String.init)
    }

    /// `utime + stime` in clock ticks from a line of `/proc/PID/stat`. The name in parentheses may hold anything.
    package static func parseStat(_ text: String) -> UInt64? {
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        // Field 3, the state, is the first one behind the name; 14 and 15 are wanted.
        guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]) else { return nil }
        return user &+ system
    }

    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}
