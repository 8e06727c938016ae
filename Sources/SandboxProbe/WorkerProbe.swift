import Glibc
import Host
import Synchronization

/// Plays a worker: says back what it hears on its socket, in upper case; "die" ends it with code 7. With a library's name
/// it loads that first.
enum WorkerProbe {
    static func run(_ arguments: [String]) throws {
        if let library = arguments.first, dlopen(library, RTLD_NOW) == nil { exit(8) }
        try WorkerHost.takeOver()
        let mode = getenv("ENTENTE_SANDBOX").map { String(cString: $0) } ?? ""
        guard let mode = SandboxMode(rawValue: mode) else { throw HostError.configuration("ENTENTE_SANDBOX") }
        _ = try Sandbox.apply(.worker, mode: mode)
        var bytes = [UInt8](repeating: 0, count: 64)
        while true {
            let count = recv(3, &bytes, bytes.count, 0)
            guard count > 0 else { return }
            let text = String(decoding: bytes[..<count], as: UTF8.self)
            if text == "die" { exit(7) }
            let answer = Array(text.uppercased().utf8)
            send(3, answer, answer.count, Int32(MSG_NOSIGNAL))
        }
    }
}

/// What the manager heard from its launcher, for one thread to wait on.
final class Events: Sendable {
    private let heard = Mutex<[HostEvent]>([])

    func add(_ event: HostEvent) { heard.withLock { $0.append(event) } }

    /// The next event as text, waiting for it.
    func next() -> String {
        while true {
            let event = heard.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            switch event {
            case .shutdown(let grace): return "shutdown \(grace)"
            case .workerExited(_, let description): return "worker \(description)"
            case .lost(let reason): return "lost \(reason)"
            case nil: usleep(1000)
            }
        }
    }
}
