public import AdapterKit
import Glibc
import Synchronization

/// A few threads that share the items of one job at a time with the calling thread. Idle threads sleep.
public final class ThreadPool: ParallelExecutor {
    private let shared: Shared

    /// A pool with `threads` threads beside the caller's; 0 makes it serial.
    public init(threads: Int) {
        shared = Shared()
        for _ in 0..<max(0, threads) { shared.startThread() }
    }

    deinit { shared.close() }

    /// Calls `body` for 0 ..< `count` on all threads, each item once, and returns when all are done. Not reentrant.
    public func run(_ count: Int, _ body: @Sendable (Int) -> Void) {
        if count < 2 || shared.threads == 0 {
            for index in 0..<count { body(index) }
            return
        }
        withoutActuallyEscaping(body) { body in
            let job = Job(count: count, body: body)
            shared.begin(job)
            job.work()
            shared.finish()
        }
    }

    /// One call of ``run(_:_:)``.
    private final class Job: Sendable {
        let count: Int
        let body: @Sendable (Int) -> Void
        let next = Atomic(0)

        init(count: Int, body: @escaping @Sendable (Int) -> Void) {
            self.count = count
            self.body = body
        }

        func work() {
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                body(index)
            }
        }
    }

    /// What the threads hold on to. Every field but the locks is guarded by `mutex`.
    private final class Shared: @unchecked Sendable {
        private let mutex: UnsafeMutablePointer<pthread_mutex_t>
        private let wake: UnsafeMutablePointer<pthread_cond_t>
        private let idle: UnsafeMutablePointer<pthread_cond_t>
        private var job: Job?
        /// Counts jobs, so that a thread takes part in each at most once.
        private var generation = 0
        private var busy = 0
        private var closed = false
        private(set) var threads = 0

        init() {
            mutex = .allocate(capacity: 1)
            wake = .allocate(capacity: 1)
            idle = .allocate(capacity: 1)
            pthread_mutex_init(mutex, nil)
            pthread_cond_init(wake, nil)
            pthread_cond_init(idle, nil)
        }

        deinit {
            pthread_cond_destroy(wake)
            pthread_cond_destroy(idle)
            pthread_mutex_destroy(mutex)
            mutex.deallocate()
            wake.deallocate()
            idle.deallocate()
        }

        /// Starts one thread, if the system allows it. Called before the pool is used.
        func startThread() {
            var thread = pthread_t()
            let context = Unmanaged.passRetained(self)
            let result = pthread_create(
                &thread, nil,
                { context in
                    if let context { Unmanaged<Shared>.fromOpaque(context).takeRetainedValue().loop() }
                    return nil
                }, context.toOpaque())
            if result == 0 {
                pthread_detach(thread)
                threads += 1
            } else {
                context.release()
            }
        }

        func begin(_ job: Job) {
            pthread_mutex_lock(mutex)
            self.job = job
            generation += 1
            pthread_cond_broadcast(wake)
            pthread_mutex_unlock(mutex)
        }

        /// Waits until no thread works on the job any more.
        func finish() {
            pthread_mutex_lock(mutex)
            job = nil
            while busy > 0 { pthread_cond_wait(idle, mutex) }
            pthread_mutex_unlock(mutex)
        }

        func close() {
            pthread_mutex_lock(mutex)
            closed = true
            pthread_cond_broadcast(wake)
            pthread_mutex_unlock(mutex)
        }

        private func loop() {
            var seen = 0
            pthread_mutex_lock(mutex)
            while !closed {
                guard let job, generation != seen else {
                    pthread_cond_wait(wake, mutex)
                    continue
                }
                seen = generation
                busy += 1
                pthread_mutex_unlock(mutex)
                job.work()
                pthread_mutex_lock(mutex)
                busy -= 1
                if busy == 0 { pthread_cond_signal(idle) }
            }
            pthread_mutex_unlock(mutex)
        }
    }
}
