import EthereumAdapter
import Glibc
import Host
import WorkerRuntime

// The worker enclave: no key, no file, no socket but the one to its manager. See WorkerRuntime for what it does.
func setting(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
let mode = setting("ENTENTE_SANDBOX").flatMap { SandboxMode(rawValue: $0) } ?? .required
let form = setting("ENTENTE_LOG_FORMAT").flatMap { LogForm(rawValue: $0) } ?? .text
let threads = setting("ENTENTE_WORKER_THREADS").flatMap { UInt8($0) } ?? 0
do {
    try WorkerHost.takeOver()
    _ = try Sandbox.apply(.worker, mode: mode)
    try runWorker(
        fd: WorkerHost.descriptor, adapters: [EthereumAdapter.kind],
        options: WorkerOptions(configured: Int(threads)))
} catch {
    form.writeFailure(label: "entente-worker", "\(error)")
    exit(1)
}
