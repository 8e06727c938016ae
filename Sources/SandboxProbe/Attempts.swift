import Glibc
import Host
import Synchronization

/// Things to try under a sandbox; each gives a line "NAME RESULT", the result being "ok" or the name of an errno.
enum Attempts {
    private typealias RawCall = @convention(c) (Int, Int, Int, Int, Int, Int, Int) -> Int

    /// What no enclave process may do.
    static func forbidden() -> [String] {
        let raw = unsafeBitCast(dlsym(nil, "syscall"), to: RawCall.self)
        func call(_ name: String, _ number: Int, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0) -> String {
            outcome(name, raw(number, a, b, c, 0, 0, 0))
        }
        var lines: [String] = []
        for (name, family) in [("inet", AF_INET), ("inet6", AF_INET6), ("unix", AF_UNIX), ("netlink", AF_NETLINK)] {
            lines.append(outcome("socket-\(name)", Int(socket(family, CInt(SOCK_STREAM.rawValue), 0))))
        }
        var address = sockaddr()
        lines.append(outcome("connect", Int(connect(3, &address, 16))))
        lines.append(outcome("bind", Int(bind(3, &address, 16))))
        lines.append(outcome("listen", Int(listen(3, 1))))
        var pair: [CInt] = [0, 0]
        lines.append(outcome("socketpair", Int(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair))))
        var program: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/true"), nil]
        var none: [UnsafeMutablePointer<CChar>?] = [nil]
        lines.append(outcome("execve", Int(execve("/bin/true", &program, &none))))
        lines.append(call("fork", 57))
        lines.append(call("vfork", 58))
        lines.append(call("clone-process", 56, 17))
        lines.append(call("clone3", 435))
        lines.append(call("ptrace", 101))
        lines.append(call("process_vm_readv", 310, Int(getppid())))
        lines.append(outcome("kill-parent", Int(kill(getppid(), 0))))
        lines.append(call("tgkill-parent", 234, Int(getppid()), Int(getppid()), 0))
        lines.append(call("pidfd_open", 434, Int(getppid())))
        lines.append(call("io_uring_setup", 425, 1))
        lines.append(call("bpf", 321))
        lines.append(call("userfaultfd", 323))
        lines.append(call("memfd_create", 319))
        lines.append(call("unshare", 272))
        lines.append(call("mount", 165))
        lines.append(call("keyctl", 250))
        lines.append(call("setuid", 105))
        lines.append(call("seccomp", 317))
        lines.append(call("prctl-dumpable", 157, 4, 1))
        lines.append(call("ioctl-tiocsti", 16, 0, 0x5412))
        lines.append(call("open-old", 2))
        lines.append(call("unknown-call", 9999))
        lines.append(outcome("open-passwd", Int(open("/etc/passwd", O_RDONLY))))
        lines.append(outcome("open-memory", Int(open("/proc/self/mem", O_RDWR))))
        let (own, parent) = (getpid(), getppid())
        lines.append(outcome("open-thread-status", Int(open("/proc/\(own)/stat", O_RDONLY))))
        lines.append(outcome("open-by-root-link", Int(open("/proc/\(own)/root/etc/passwd", O_RDONLY))))
        lines.append(outcome("open-parent-memory", Int(open("/proc/\(parent)/mem", O_RDONLY))))
        lines.append(outcome("open-parent-environment", Int(open("/proc/\(parent)/environ", O_RDONLY))))
        lines.append(outcome("open-kernel-memory", Int(open("/proc/kcore", O_RDONLY))))
        lines.append(outcome("create-tmp", Int(open("/tmp/entente-probe", O_RDWR | O_CREAT, 0o600))))
        let code = mmap(nil, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        lines.append(outcome("mmap-executable", code == MAP_FAILED ? -1 : 0))
        let page = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        lines.append(outcome("mprotect-executable", Int(mprotect(page, 4096, PROT_READ | PROT_EXEC))))
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        lines.append("core-limit \(limit.rlim_max)")
        return lines
    }

    /// What every enclave process must still be able to do: memory, threads, time, randomness, waking each other.
    static func allowed() -> [String] {
        var lines: [String] = []
        let sum = Sum()
        do {
            let threads = try (1...4).map { step in try HostThread.start("probe") { sum.add(step) } }
            for thread in threads { thread.join() }
            lines.append("threads \(sum.value)")
        } catch {
            lines.append("threads \(error)")
        }
        lines.append(
            "memory \((0..<100).reduce(0) { $0 + [UInt8](repeating: 1, count: $1 << 14).count } > 0 ? "ok" : "")")
        lines.append("random \(HostRandom.bytes(32).count)")
        lines.append("time \(HostClock.monotonicMicroseconds() > 0 && HostClock.wallMilliseconds() > 0 ? "ok" : "")")
        return lines
    }

    /// What a manager does in its data folder, and may not do outside.
    static func files(_ directory: Directory) -> [String] {
        var lines: [String] = []
        func attempt(_ name: String, _ body: () throws -> Void) {
            do {
                try body()
                lines.append("\(name) ok")
            } catch let error as HostError {
                lines.append("\(name) \(errorName(error.errorNumber))")
            } catch {
                lines.append("\(name) \(error)")
            }
        }
        attempt("write") { try directory.replace("state", with: [1, 2, 3]) }
        attempt("read") { _ = try directory.read("state") }
        attempt("list") { _ = try directory.list() }
        attempt("folder") { try directory.folder("ledger", create: true).replace("1", with: [4]) }
        attempt("append") {
            let file = try directory.open("log", create: true)
            let queue = try DiskQueue()
            let appender = try DurableAppender(file: file, queue: queue)
            appender.append([1, 2, 3]) { _ in }
            queue.stop()
            guard queue.statistics.appends == 1 else { throw HostError.closed("nothing was appended") }
        }
        attempt("truncate") { try directory.open("log", writing: true).truncate(to: 1) }
        attempt("remove") { try directory.remove("log") }
        lines.append(outcome("escape", Int(openat(directory.descriptor, "../outside", O_RDONLY))))
        lines.append(outcome("symlink", Int(symlinkat("/etc/passwd", directory.descriptor, "link"))))
        return lines
    }

    private final class Sum: Sendable {
        private let total = Atomic<Int>(0)
        var value: Int { total.load(ordering: .sequentiallyConsistent) }
        func add(_ step: Int) { total.add(step, ordering: .sequentiallyConsistent) }
    }

    private static func outcome(_ name: String, _ result: Int) -> String {
        "\(name) \(result >= 0 ? "ok" : errorName(errno))"
    }

    private static func errorName(_ number: CInt) -> String {
        let names: [CInt: String] = [
            EPERM: "EPERM", EACCES: "EACCES", ENOSYS: "ENOSYS", ENOENT: "ENOENT", EINVAL: "EINVAL", EFAULT: "EFAULT",
            EXDEV: "EXDEV",
        ]
        return names[number] ?? "errno-\(number)"
    }
}
