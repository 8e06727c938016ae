import EthereumAdapter
import Glibc
import ManagerRuntime
import WorkerRuntime

// Manager and worker in one enclave (`isolation: inline`): the same message set over a socket pair of its own.
exit(
    runManager(
        inline: InlineWorker { descriptor, threads in
            try runWorker(
                fd: descriptor, adapters: [EthereumAdapter.kind], options: WorkerOptions(configured: Int(threads)))
        }))
