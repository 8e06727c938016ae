import Glibc
import Host
import Logging

/// Plays the launcher: `launcher FOLDER SCRIPT [inline] [stop=MS]`, where manager and worker are this program again.
/// Tells the test "ready PORT PORT PORT" and, at the end, "end CODE".
enum LauncherProbe {
    static func run(_ arguments: [String]) throws -> CInt {
        var own = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &own, own.count - 1)
        let path = String(decoding: own[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let address = ListenAddress(host: "127.0.0.1", port: 0)
        var settings = LauncherSettings(
            application: address, administration: address, node: address, dataFolder: "\(arguments[0])/data",
            manager: EnclaveProgram(path: path, arguments: ["manager"]),
            worker: arguments.contains("inline") ? nil : EnclaveProgram(path: path, arguments: ["worker"]),
            configuration: Array(arguments[1].utf8), platformFolder: arguments[0])
        for argument in arguments where argument.hasPrefix("stop=") {
            settings.stopMilliseconds = UInt32(argument.dropFirst(5)) ?? 1000
        }
        let launcher = try Launcher(settings: settings, logger: Logger(label: "launcher") { _ in LineLog() })
        let ports = try launcher.ports()
        let code = try launcher.run {
            SandboxProbe.say(["ready \(ports.application) \(ports.administration) \(ports.node)"])
        }
        SandboxProbe.say(["end \(code)"])
        return code
    }

    /// Tells the test each log line.
    private struct LineLog: LogHandler {
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            SandboxProbe.say(["log \(event.level) \(event.message) \(fields.joined(separator: " "))"])
        }
    }
}
