import Glibc
import Host

/// A helper of the tests: a small process that gets itself sandboxed and tells what it can still do, or plays the
/// manager, the worker or the launcher of a node. Not part of the product.
///
/// Descriptor 3 is a socket to the test (or, for `manager` and `worker`, what their launcher gives them); answers are
/// lines of text.
@main
enum SandboxProbe {
    static func main() {
        let arguments = CommandLine.arguments  // reads /proc, so before any sandbox
        do {
            switch arguments.dropFirst().first {
            case "try-manager": try tryAsManager(folder: arguments[2])
            case "try-worker": try tryAsWorker()
            case "try-without":
                try tryWithout(arguments[2], SandboxMode(rawValue: arguments[3]) ?? .required, arguments[4])
            case "serve": try ServeProbe.run(folder: arguments[2])
            case "manager": try ManagerProbe.run()
            case "worker": try WorkerProbe.run(Array(arguments.dropFirst(2)))
            case "launcher": exit(try LauncherProbe.run(Array(arguments.dropFirst(2))))
            case "hold": while true { sleep(60) }
            case "descriptors": say(openDescriptors())
            default: say(["usage: SandboxProbe try-manager FOLDER | try-worker | serve FOLDER | …"])
            }
        } catch {
            say(["error \(error)"])
            exit(1)
        }
    }

    /// Writes lines to the test.
    static func say(_ lines: [String]) {
        let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
        _ = send(3, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private static func openDescriptors() -> [String] {
        (0..<256).filter { fcntl($0, F_GETFD) >= 0 }.map(String.init)
    }

    private static func tryAsManager(folder: String) throws {
        let directory = try Directory(path: folder)
        let report = try Sandbox.apply(.manager(dataFolder: directory.descriptor), mode: .required)
        say(["landlock \(report.landlockVersion) filter \(report.hasFilter) missing \(report.missing.count)"])
        say(Attempts.forbidden() + Attempts.files(directory) + Attempts.allowed())
    }

    /// As on a kernel that lacks `landlock`, `seccomp` or both; afterwards only what is harmless if it is allowed.
    private static func tryWithout(_ missing: String, _ mode: SandboxMode, _ role: String) throws {
        let directory = try Directory(path: "/tmp")
        try MissingFeatures.hide(landlock: missing != "seccomp", seccomp: missing != "landlock")
        let report = try Sandbox.apply(
            role == "worker" ? .worker : .manager(dataFolder: directory.descriptor), mode: mode)
        say(["landlock \(report.landlockVersion > 0)", "filter \(report.hasFilter)"])
        say(["missing \(report.missing.joined(separator: ", "))"])
        say([
            "socket \(socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0) >= 0 ? "ok" : "refused")",
            "open \(open("/etc/passwd", O_RDONLY) >= 0 ? "ok" : "refused")",
        ])
    }

    private static func tryAsWorker() throws {
        let report = try Sandbox.apply(.worker, mode: .required)
        say(["landlock \(report.landlockVersion) filter \(report.hasFilter) missing \(report.missing.count)"])
        say(Attempts.forbidden() + Attempts.allowed())
    }
}
