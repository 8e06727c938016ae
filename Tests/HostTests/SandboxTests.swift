import Glibc
import Host
import Testing

@Suite struct SandboxTests {
    /// Whether this kernel has what `required` asks for; if not, there is nothing to test here.
    static func results(_ arguments: [String]) throws -> [String: String] {
        let probe = try Probe(arguments)
        let lines = probe.lines()
        #expect(probe.end() == .exited(0))
        var results: [String: String] = [:]
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            if words.count == 2 { results[words[0]] = words[1] }
        }
        return results
    }

    static let refused = [
        "socket-inet", "socket-inet6", "socket-unix", "socket-netlink", "connect", "bind", "socketpair",
        "execve", "fork", "vfork", "clone-process", "ptrace", "process_vm_readv", "kill-parent", "pidfd_open",
        "io_uring_setup", "bpf", "userfaultfd", "memfd_create", "unshare", "mount", "keyctl", "setuid", "seccomp",
        "open-old", "mmap-executable", "mprotect-executable",
    ]

    @Test func managerIsConfined() throws {
        let folder = try TemporaryFolder()
        let data = try folder.directory().folder("data", create: true)
        try folder.directory().replace("outside", with: [1])
        let results = try Self.results(["try-manager", "\(folder.path)/data"])
        #expect(results["landlock"]?.hasSuffix("filter true missing 0") == true)
        for name in Self.refused { #expect(results[name] == "EPERM", "\(name)") }
        for name in ["tgkill-parent", "clone3", "prctl-dumpable", "ioctl-tiocsti", "unknown-call"] {
            #expect(results[name] == "ENOSYS", "\(name)")
        }
        let denied = ["open-passwd", "open-memory", "create-tmp", "escape", "open-by-root-link"]
        for name in denied {
            #expect(results[name] == "EACCES", "\(name)")
        }
        for name in ["open-kernel-memory", "open-parent-memory", "open-parent-environment"] {
            #expect(results[name] != nil && results[name] != "ok", "\(name)")
        }
        #expect(results["open-thread-status"] == "ok")
        #expect(results["symlink"] == "EPERM")
        #expect(results["core-limit"] == "0")
        for name in ["write", "read", "list", "folder", "append", "truncate", "remove", "memory", "time"] {
            #expect(results[name] == "ok", "\(name)")
        }
        #expect(results["threads"] == "10")
        #expect(results["random"] == "32")
        #expect(try data.read("state") == [1, 2, 3])
    }

    @Test func workerIsConfinedFurther() throws {
        let results = try Self.results(["try-worker"])
        for name in Self.refused + ["listen", "open-passwd", "open-memory", "create-tmp", "open-kernel-memory"] {
            #expect(results[name] == "EPERM", "\(name)")
        }
        #expect(results["threads"] == "10")
        #expect(results["memory"] == "ok")
    }

    @Test(arguments: ["manager", "worker"])
    func bestEffortGoesOnWithWhatThereIs(_ role: String) throws {
        let noLandlock = try Self.results(["try-without", "landlock", "best-effort", role])
        #expect(noLandlock["landlock"] == "false" && noLandlock["filter"] == "true")
        #expect(noLandlock["missing"] == "unavailable: the kernel has no Landlock")
        #expect(noLandlock["socket"] == "refused")
        // A manager's filter lets it open files; which ones was Landlock's to say.
        #expect(noLandlock["open"] == (role == "manager" ? "ok" : "refused"))
        let noFilter = try Self.results(["try-without", "seccomp", "best-effort", role])
        #expect(noFilter["landlock"] == "true" && noFilter["filter"] == "false")
        #expect(noFilter["missing"] == "unavailable: the kernel has no seccomp filters")
        #expect(noFilter["socket"] == "ok" && noFilter["open"] == "refused")
        let neither = try Self.results(["try-without", "both", "best-effort", role])
        #expect(neither["landlock"] == "false" && neither["filter"] == "false")
        #expect(neither["missing"]?.split(separator: ",").count == 2)
    }

    @Test(arguments: ["landlock", "seccomp", "both"])
    func requiredDoesNotStartWithoutAPart(_ missing: String) throws {
        for role in ["manager", "worker"] {
            let probe = try Probe(["try-without", missing, "required", role])
            #expect(probe.line()?.hasPrefix("error unavailable: the kernel has no") == true)
            #expect(probe.end() == .exited(1))
        }
    }

    @Test func childGetsOnlyWhatIsListed() throws {
        // Descriptors that are open here and were never marked close-on-exec must not reach the child.
        let leaked = open("/dev/null", O_RDONLY)
        defer { close(leaked) }
        let probe = try Probe(["descriptors"], descriptors: [leaked])
        let numbers = Set(probe.lines())
        #expect(numbers == ["0", "1", "2", "3", "4"])
    }

    @Test func threadsBeforeTheSandboxAreAnError() throws {
        // The test program has threads.
        #expect(throws: HostError.configuration("")) {
            _ = try Sandbox.apply(.worker, mode: .bestEffort)
        }
    }
}
