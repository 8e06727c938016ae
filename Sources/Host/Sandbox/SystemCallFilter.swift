internal import CHostShim
internal import CSeccomp
internal import Glibc

/// The seccomp filter of an enclave process: a list of what is allowed. What is named as refused gets EPERM, so that the
/// caller sees a refusal; what is not named at all gets ENOSYS, so that the C library falls back from calls newer than
/// this list.
enum SystemCallFilter {
    /// Memory, threads, time, waiting, and reading and writing what is open: both roles.
    private static let common = [
        // memory
        "brk", "mmap", "mprotect", "munmap", "mremap", "madvise",
        // threads; clone is allowed for threads only, clone3 answers ENOSYS because its arguments can't be looked at
        "futex", "set_robust_list", "get_robust_list", "rseq", "set_tid_address", "gettid", "getpid", "sched_yield",
        "sched_getaffinity", "getcpu", "restart_syscall", "exit", "exit_group",
        // signals of our own
        "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
        // time and randomness
        "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "getrandom",
        // waiting
        "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll",
        "eventfd2",
        "timerfd_create", "timerfd_settime", "timerfd_gettime",
        // what is open
        "read", "readv", "write", "writev", "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "sendmmsg",
        "close", "fstat", "lseek", "shutdown", "getsockopt", "setsockopt", "getsockname", "getpeername",
        // figures about this process
        "getrusage", "times", "sysinfo", "uname", "getuid", "geteuid", "getgid", "getegid",
    ]

    /// Files, which Landlock keeps to the data folder, and accepting on listeners: managers only. NIO calls `listen` again
    /// on the listeners that it takes over; without `socket` and `bind` that opens nothing.
    private static let managerOnly = [
        "openat", "newfstatat", "statx", "getdents64", "pread64", "preadv", "pwrite64", "pwritev", "fsync",
        "fdatasync", "ftruncate", "fallocate", "mkdirat", "renameat", "renameat2", "unlinkat", "faccessat",
        "faccessat2", "accept4", "accept", "listen",
    ]

    /// Refused by name: what an attacker would want most. Everything else that is not allowed is refused as well.
    static let refused = [
        // the network, other than what is open; io_uring would go around this filter
        "socket", "socketpair", "connect", "bind", "io_uring_setup", "io_uring_enter", "io_uring_register",
        // other programs and processes
        "execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "kill", "tkill",
        "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "process_madvise", "kcmp", "unshare", "setns",
        // files by other ways than those allowed
        "open", "creat", "openat2", "open_by_handle_at", "name_to_handle_at", "link", "linkat", "symlink", "symlinkat",
        "mknod", "mknodat", "chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "lchown", "truncate",
        "memfd_create", "memfd_secret", "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount",
        "fsopen", "fanotify_init", "inotify_init1", "setxattr", "fsetxattr", "quotactl", "swapon", "acct",
        // the kernel and its rights
        "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "init_module", "finit_module",
        "delete_module", "kexec_load", "kexec_file_load", "reboot", "iopl", "ioperm", "syslog", "setuid", "setgid",
        "setreuid", "setresuid", "setgroups", "capset", "personality", "seccomp", "modify_ldt", "vmsplice",
        "userfaultfd",
        "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname",
    ]

    private static let allow = UInt32(0x7fff_0000)  // SCMP_ACT_ALLOW
    private static func failing(_ number: CInt) -> UInt32 { 0x0005_0000 | UInt32(number) }  // SCMP_ACT_ERRNO

    /// Builds the filter for `role` and puts it on every thread of the process.
    static func load(_ role: SandboxRole) throws(HostError) {
        guard let filter = seccomp_init(failing(ENOSYS)) else { throw .unavailable("no memory for a seccomp filter") }
        defer { seccomp_release(filter) }
        try build(filter, role)
        let result = seccomp_load(filter)
        if result == -EINVAL || result == -ENOSYS || result == -EOPNOTSUPP {
            throw .unavailable("the kernel has no seccomp filters")
        }
        guard result == 0 else { throw .system("loading the seccomp filter", -result) }
    }

    private static func build(_ filter: scmp_filter_ctx, _ role: SandboxRole) throws(HostError) {
        // The kernel's own error numbers, not libseccomp's ECANCELED for all of them.
        guard seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1) == 0,
            seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0
        else {
            throw .unavailable("seccomp can't bind all threads")
        }
        var allowed = common
        var refused = refused
        if case .manager = role { allowed += managerOnly } else { refused += managerOnly }
        let memory: Set = ["mmap", "mprotect"]
        for name in allowed where !memory.contains(name) { try rule(filter, allow, name, []) }
        for name in refused { try rule(filter, failing(EPERM), name, []) }
        // No new code: memory is never made executable after the start.
        let executable = scmp_datum_t(PROT_EXEC)
        for name in ["mmap", "mprotect"] {
            try rule(filter, allow, name, [masked(2, executable, 0)])
            try rule(filter, failing(EPERM), name, [masked(2, executable, executable)])
        }
        // Threads, not processes.
        let thread = scmp_datum_t(0x0001_0000)  // CLONE_THREAD
        try rule(filter, allow, "clone", [masked(0, thread, thread)])
        try rule(filter, failing(EPERM), "clone", [masked(0, thread, 0)])
        try rule(filter, failing(ENOSYS), "clone3", [])
        // Signals to ourselves only (abort, pthread_kill).
        try rule(filter, allow, "tgkill", [equal(0, scmp_datum_t(getpid()))])
        // The name of a thread; of descriptors, the flags and a copy; of terminals, whether it is one.
        for option in [HOST_SHIM_PR_SET_NAME, HOST_SHIM_PR_GET_NAME] {
            try rule(filter, allow, "prctl", [equal(0, scmp_datum_t(option))])
        }
        for command in [F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC] {
            try rule(filter, allow, "fcntl", [equal(1, scmp_datum_t(command))])
        }
        for request in [scmp_datum_t(TCGETS), scmp_datum_t(FIONREAD)] {
            try rule(filter, allow, "ioctl", [equal(1, request)])
        }
        // Limits may be read, not set.
        try rule(filter, allow, "prlimit64", [equal(2, 0)])
        try rule(filter, allow, "getrlimit", [])
    }

    private static func rule(
        _ filter: scmp_filter_ctx, _ action: UInt32, _ name: String, _ arguments: [scmp_arg_cmp]
    ) throws(HostError) {
        let number = seccomp_syscall_resolve_name(name)
        // A call that this architecture, or this version of libseccomp, does not know falls to the default.
        guard number >= 0 else { return }
        let result = seccomp_rule_add_array(filter, action, number, UInt32(arguments.count), arguments)
        // EACCES: the rule says what the default says.
        guard result == 0 || result == -EACCES else { throw .system("seccomp rule for \(name)", -result) }
    }

    private static func masked(_ argument: UInt32, _ mask: scmp_datum_t, _ value: scmp_datum_t) -> scmp_arg_cmp {
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
    }

    private static func equal(_ argument: UInt32, _ value: scmp_datum_t) -> scmp_arg_cmp {
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_EQ, datum_a: value, datum_b: 0)
    }
}
