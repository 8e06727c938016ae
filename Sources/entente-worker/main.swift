import EthereumAdapter
import Glibc
import Host
import WorkerRuntime

// The worker enclave: no key, no file, no socket but the one to its manager. See WorkerRuntime for what it does.
let mode = getenv("ENTENTE_SANDBOX").flatMap { SandboxMode(rawValue: String(cString: $0)) } ?? .required
do {
    _ = try Sandbox.apply(.worker, mode: mode)
    try runWorker(fd: ManagerHost.descriptor, adapters: [EthereumAdapter.kind])
} catch {
    let line = Array("entente-worker: \(error)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(1)
}
