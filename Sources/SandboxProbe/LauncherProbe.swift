import Glibc
import Host
import Logging

/// Plays the launcher: `launcher FOLDER SCRIPT [inline] [keep] [stop=MS] [restart=MS] [restartMax=MS]
/// [load=LIBRARY] [preload=LIBRARY]`, where manager and worker are this program again. `keep`: a manager that dies is
/// started again; `load`: the worker loads a library, `preload`: both processes have one forced on them.
/// Tells the test "ready PORT PORT PORT" and, at the end, "end CODE".
enum LauncherProbe {
    static func run(_ arguments: [String]) throws -> CInt {
        var own = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &own, own.count - 1)
        let path = String(decoding: own[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let address = ListenAddress(host: "127.0.0.1", port: 0)
        let extra = arguments.filter { $0.hasPrefix("load=") }.map { String($0.dropFirst(5)) }
        var settings = LauncherSettings(
            application: address, administration: address, node: address, dataFolder: "\(arguments[0])/data",
            manager: EnclaveProgram(path: path, arguments: ["manager"]),
            worker: arguments.contains("inline") ? nil : EnclaveProgram(path: path, arguments: ["worker"] + extra),
            configuration: Array(arguments[1].utf8), platformFolder: arguments[0])
        for argument in arguments.dropFirst(2) {
            if argument.hasPrefix("preload=") { settings.environment.append("LD_PRELOAD=\(argument.dropFirst(8))") }
            let parts = argument.split(separator: "=")
            guard parts.count == 2, let value = UInt32(parts[1]) else { continue }
            switch parts[0] {
            case "stop": settings.stopMilliseconds = value
            case "restart": settings.restartMilliseconds = value
            case "restartMax": settings.restartMillisecondsMax = value
            default: break
            }
        }
        let launcher = try Launcher(settings: settings, logger: Logger(label: "launcher") { _ in LineLog() })
        let ports = try launcher.ports()
        let ready = {
            SandboxProbe.say(["ready \(ports.application) \(ports.administration) \(ports.node)"])
        }
        let code =
            arguments.contains("keep") ? try launcher.keepRunning(onReady: ready) : try launcher.run(onReady: ready)
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
