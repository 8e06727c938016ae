internal import CHostShim
internal import Glibc

/// File system, TCP and scope restrictions by Landlock (landlock(7)).
enum Landlock {
    /// Rights by the version that brought them, as bits of LANDLOCK_ACCESS_FS_*.
    private static func fileRights(_ version: Int) -> UInt64 {
        var rights: UInt64 = (1 << 13) - 1  // version 1: execute to make_sym
        if version >= 2 { rights |= 1 << 13 }  // refer
        if version >= 3 { rights |= 1 << 14 }  // truncate
        if version >= 5 { rights |= 1 << 15 }  // ioctl on devices
        return rights
    }

    /// What a manager may do in its data folder: write, read and list files; make, remove and rename files and folders;
    /// truncate. Not: execute, devices, sockets, pipes, symbolic links.
    private static func dataRights(_ version: Int) -> UInt64 {
        // write_file 1, read_file 2, read_dir 3, remove_dir 4, remove_file 5, make_dir 7, make_reg 8, refer 13,
        // truncate 14
        let bits: [UInt64] = [1, 2, 3, 4, 5, 7, 8, 13, 14]
        return bits.reduce(0) { $0 | 1 << $1 } & fileRights(version)
    }

    /// Restricts the calling thread and all it starts. Returns the version used.
    static func restrict(_ role: SandboxRole) throws(HostError) -> Int {
        let version = Int(host_shim_landlock_version())
        guard version >= 1 else { throw .unavailable("the kernel has no Landlock") }
        let network: UInt64 = version >= 4 ? 0b11 : 0  // bind and connect, TCP
        let scopes: UInt64 = version >= 6 ? 0b11 : 0  // abstract sockets and signals
        let ruleset = host_shim_landlock_create(fileRights(version), network, scopes, CInt(version))
        guard ruleset >= 0 else { throw .system("landlock_create_ruleset", -ruleset) }
        defer { Descriptor.close(ruleset) }
        if case .manager(let folder) = role {
            let result = host_shim_landlock_allow_beneath(ruleset, folder, dataRights(version))
            guard result == 0 else { throw .system("landlock_add_rule", -result) }
            try allowThreadStatus(ruleset)
        }
        let result = host_shim_landlock_restrict(ruleset)
        guard result == 0 else { throw .system("landlock_restrict_self", -result) }
        return version
    }

    /// libdispatch, on which Swift's tasks run, looks at /proc/THREAD/stat to see whether its threads are blocked, and
    /// aborts the process if it can't; a thread's folder there can't be named before the thread exists. So files of
    /// /proc may be read, as by anyone without rights: Landlock itself keeps other processes' memory and environment
    /// out of reach, and the dropped capabilities the kernel's.
    private static func allowThreadStatus(_ ruleset: CInt) throws(HostError) {
        let processes = try Descriptor.openFolder("/proc")
        defer { Descriptor.close(processes) }
        let result = host_shim_landlock_allow_beneath(ruleset, processes, 1 << 2)
        guard result == 0 else { throw .system("landlock_add_rule", -result) }
    }
}
