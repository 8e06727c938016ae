/// The parts of the work on a transaction, for processor time by stage.
public enum Stage: UInt8, CaseIterable, Sendable {
    /// The adapter reads requests and makes their answers.
    case decode
    /// Transactions are decoded and their signers recovered.
    case recover
    /// A batch is executed, but for its roots.
    case execute
    /// The roots of a block are computed.
    case stateRoot
    /// An entry is made: sealed, hashed, and from time to time signed.
    case seal
    /// Consensus: its messages, and the log's way to the disk.
    case replicate
    /// Entries are opened, checked and applied, here and in the worker.
    case apply
    /// All the rest: TLS, HTTP, frames between processes, sessions and routing.
    case transport

    /// The label in metrics and tables.
    public var label: String { self == .stateRoot ? "state root" : "\(self)" }
}

/// Adds up processor time by stage. At each moment one stage counts; entering one takes it from the other, so nothing
/// counts twice. The clock is an input: without one all is 0. Not for two threads.
public final class StageMeter {
    private let clock: @Sendable () -> UInt64
    private var spent = [UInt64](repeating: 0, count: Stage.allCases.count)
    private var beside = [UInt64](repeating: 0, count: Stage.allCases.count)
    private var current = Stage.transport
    private var since: UInt64

    /// A meter by a clock of processor time in nanoseconds.
    public init(clock: @escaping @Sendable () -> UInt64 = { 0 }) {
        self.clock = clock
        since = clock()
    }

    /// Counts for `stage` from now on, and gives the one that counted before, to go back to.
    @discardableResult
    public func enter(_ stage: Stage) -> Stage {
        if stage == current { return current }
        let now = clock()
        spent[Int(current.rawValue)] += now - min(now, since)
        since = now
        defer { current = stage }
        return current
    }

    /// Counts for `stage` while `body` runs.
    public func measure<T, E: Error>(_ stage: Stage, _ body: () throws(E) -> T) throws(E) -> T {
        let before = enter(stage)
        defer { enter(before) }
        return try body()
    }

    /// Notes what other threads, which work for `stage`, have taken in all so far.
    public func note(beside stage: Stage, total nanoseconds: UInt64) {
        beside[Int(stage.rawValue)] = max(beside[Int(stage.rawValue)], nanoseconds)
    }

    /// Nanoseconds of each stage so far, in the order of the stages.
    public var nanoseconds: [UInt64] {
        var sums = zip(spent, beside).map { $0 + $1 }
        let now = clock()
        sums[Int(current.rawValue)] += now - min(now, since)
        return sums
    }
}
