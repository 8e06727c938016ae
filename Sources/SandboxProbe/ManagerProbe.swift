import Glibc
import Host

/// Plays a manager: carries out the commands of its configuration, a line each, and writes what came of them to the
/// file `result` in the data folder.
enum ManagerProbe {
    static func run() throws {
        let (host, handOver) = try ManagerHost.takeOver()
        let directory = Directory(descriptor: handOver.dataFolder)
        let report = try Sandbox.apply(
            .manager(dataFolder: handOver.dataFolder), mode: handOver.fields.sandbox)
        let script = String(decoding: handOver.fields.configuration, as: UTF8.self)
        let events = Events()
        try host.start { events.add($0) }
        Task {
            var lines = ["sandbox \(report.landlockVersion) \(report.hasFilter)"]
            var worker = handOver.worker
            for command in script.split(separator: "\n").map({ $0.split(separator: " ").map(String.init) }) {
                let line =
                    command[0] == "die-until"
                    ? dieUntil(restarts: command[1], as: command[2], handOver.fields)
                    : await carryOut(command, host, &worker, events)
                lines.append("\(command.joined(separator: " ")): \(line)")
                try? directory.replace("result", with: Array(lines.joined(separator: "\n").utf8))
            }
        }
        while true { sleep(60) }
    }

    /// Ends this process, with an exit code or by a signal ("trap"), unless it was started again often enough.
    private static func dieUntil(restarts: String, as end: String, _ fields: HandOverFields) -> String {
        guard fields.managerRestarts < UInt32(restarts) ?? 0 else { return "\(fields.managerRestarts)" }
        if end == "trap" { abort() }
        exit(CInt(end) ?? 1)
    }

    private static func carryOut(
        _ command: [String], _ host: ManagerHost, _ worker: inout WorkerLink?, _ events: Events
    ) async -> String {
        do {
            switch command[0] {
            case "connect":
                let descriptor = try await host.connect(
                    host: "127.0.0.1", port: UInt16(command[1]) ?? 0, timeoutMilliseconds: 2000)
                defer { close(descriptor) }
                var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                poll(&entry, 1, 2000)
                var bytes = [UInt8](repeating: 0, count: 16)
                let count = recv(descriptor, &bytes, 16, 0)
                return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
            case "evidence": return hex(try await host.evidence(reportData: [UInt8](repeating: 7, count: 64)))
            case "bad-evidence": return hex(try await host.evidence(reportData: [1]))
            case "seal": return hex(try await host.sealingKey(label: command[1]))
            case "worker-say": return try talk(worker, command[1])
            case "worker-die":
                _ = try? talk(worker, "die")
                return events.next()
            case "worker-start":
                worker = try await host.startWorker()
                return "started"
            case "ready":
                host.ready()
                return "said"
            case "log":
                host.log(level: "warning", message: command[1])
                return "said"
            case "exit": exit(CInt(command[1]) ?? 1)
            case "stop":
                let event = events.next()
                // The result can't be written after exit, so the exit code tells.
                exit(event.hasPrefix("shutdown") ? 0 : 9)
            case "ignore-stop": while true { sleep(60) }
            default: return "unknown"
            }
        } catch {
            return "\(error)"
        }
    }

    private static func talk(_ worker: WorkerLink?, _ text: String) throws -> String {
        guard let worker else { return "no worker" }
        let bytes = Array(text.utf8)
        guard send(worker.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw HostError.closed("worker")
        }
        var answer = [UInt8](repeating: 0, count: 64)
        let count = recv(worker.descriptor, &answer, 64, 0)
        return String(decoding: answer[..<max(0, count)], as: UTF8.self)
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
