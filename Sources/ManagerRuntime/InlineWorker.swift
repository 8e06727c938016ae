package import Host
package import Logging
internal import Manager
internal import NIOConcurrencyHelpers

/// The worker of a program that has it inside (`isolation: inline`). It runs on threads of its own and talks to the
/// manager in the same messages as a worker process, under the same checks.
public struct InlineWorker: Sendable {
    /// Serves the manager at the other end of a connected socket until that is closed; blocks.
    /// - Parameters:
    ///   - descriptor: the socket.
    ///   - threads: threads for work that can be done in parallel, 0 for as many as fit the machine.
    public typealias Serve = @Sendable (_ descriptor: CInt, _ threads: UInt32) throws -> Void

    let serve: Serve

    /// A worker that runs as `serve` says.
    public init(_ serve: @escaping Serve) { self.serve = serve }
}

/// The socket to the worker inside, made before the sandbox and used once.
package final class InlineLink: Sendable {
    private enum State: Sendable {
        case made(manager: CInt, worker: CInt)
        case running
        case ended
    }

    private let worker: InlineWorker
    private let threads: UInt32
    private let state: NIOLockedValueBox<State>

    /// - Parameter hasWorker: whether the launcher started a worker; then the program is not the one it thinks.
    /// - Throws: `HostError`.
    package init(_ worker: InlineWorker, hasWorker: Bool, threads: UInt32) throws(HostError) {
        guard !hasWorker else {
            throw .configuration("this program has its worker inside; isolation: process wants entente-manager")
        }
        let (ours, theirs) = try Descriptor.streamPair()
        self.worker = worker
        self.threads = threads
        state = NIOLockedValueBox(.made(manager: ours, worker: theirs))
    }

    deinit {
        if case .made(let ours, let theirs) = state.withLockedValue({ $0 }) {
            Descriptor.close(ours)
            Descriptor.close(theirs)
        }
    }

    /// Whether it ran and is wanted again.
    package var hasEnded: Bool {
        if case .ended = state.withLockedValue({ $0 }) { true } else { false }
    }

    /// Starts the worker's thread and gives the manager's end of the socket; nil if that was done before. A worker that
    /// ends closes its end, by which the manager knows. Process 0 stands for this one.
    package func start(_ logger: Logger) -> Result<WorkerLink, HostError>? {
        let ends: (manager: CInt, worker: CInt)? = state.withLockedValue { state in
            guard case .made(let manager, let worker) = state else {
                state = .ended
                return nil
            }
            state = .running
            return (manager, worker)
        }
        guard let ends else { return nil }
        let (worker, threads) = (worker, threads)
        do throws(HostError) {
            try HostThread.start("worker") {
                do {
                    try worker.serve(ends.worker, threads)
                } catch {
                    logger.error("the worker inside failed", metadata: ["reason": "\(error)"])
                }
                Descriptor.close(ends.worker)
            }.detach()
        } catch {
            Descriptor.close(ends.manager)
            Descriptor.close(ends.worker)
            return .failure(error)
        }
        return .success(WorkerLink(descriptor: ends.manager, process: 0))
    }
}
