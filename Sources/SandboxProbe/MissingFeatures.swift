import CSeccomp
import Glibc
import Host

/// Makes this process see a kernel without some features: a filter of its own answers their calls as such a kernel would.
enum MissingFeatures {
    private static let allow = UInt32(0x7fff_0000)  // SCMP_ACT_ALLOW
    private static func failing(_ number: CInt) -> UInt32 { 0x0005_0000 | UInt32(number) }  // SCMP_ACT_ERRNO

    static func hide(landlock: Bool, seccomp: Bool) throws {
        guard let filter = seccomp_init(allow) else { throw HostError.unavailable("seccomp") }
        defer { seccomp_release(filter) }
        var rules: [(call: CInt, number: CInt, arguments: [scmp_arg_cmp])] = []
        // landlock_create_ruleset: ENOSYS where it is not built in.
        if landlock { rules.append((444, ENOSYS, [])) }
        if seccomp {
            // seccomp(2) and PR_SET_SECCOMP (22): EINVAL where filters are not built in.
            rules.append((317, EINVAL, []))
            rules.append((157, EINVAL, [scmp_arg_cmp(arg: 0, op: SCMP_CMP_EQ, datum_a: 22, datum_b: 0)]))
        }
        for rule in rules {
            let result = seccomp_rule_add_array(
                filter, failing(rule.number), rule.call, UInt32(rule.arguments.count), rule.arguments)
            guard result == 0 else { throw HostError.system("a rule", -result) }
        }
        let result = seccomp_load(filter)
        guard result == 0 else { throw HostError.system("the filter", -result) }
    }
}
