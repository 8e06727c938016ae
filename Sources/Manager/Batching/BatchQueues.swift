/// One ``Batcher`` for each adapter; the next batch is taken from them in turn.
struct BatchQueues: Sendable {
    private var queues: [(endpoint: String, batcher: Batcher<WorkItem>)] = []
    private var turn = 0
    private var limits = Batcher<WorkItem>.Limits()

    /// Adapters and limits of the constitution in force. Gives what waited for adapters that are there no more.
    mutating func configure(endpoints: [String], limits: Batcher<WorkItem>.Limits) -> [WorkItem] {
        self.limits = limits
        var left: [WorkItem] = []
        for index in queues.indices where !endpoints.contains(queues[index].endpoint) {
            left += queues[index].batcher.drain()
        }
        queues = endpoints.map { endpoint in
            var batcher = queues.first { $0.endpoint == endpoint }?.batcher ?? Batcher(limits: limits)
            batcher.limits = limits
            return (endpoint, batcher)
        }
        return left
    }

    /// Transactions that wait.
    var count: Int { queues.reduce(0) { $0 + $1.batcher.count } }

    /// The earliest deadline.
    var deadline: UInt64? { queues.compactMap(\.batcher.deadline).min() }

    /// Queues an item; false if there is no room or no such adapter.
    mutating func enqueue(_ item: WorkItem, endpoint: String, bytes: Int, now: UInt64) -> Bool {
        guard let index = queues.firstIndex(where: { $0.endpoint == endpoint }) else { return false }
        return queues[index].batcher.enqueue(item, bytes: bytes, now: now)
    }

    /// Takes the next batch, if one is due.
    mutating func cut(idle: Bool, now: UInt64) -> (endpoint: String, items: [WorkItem])? {
        for offset in queues.indices {
            let index = (turn + offset) % queues.count
            if let items = queues[index].batcher.cut(idle: idle, now: now) {
                turn = index + 1
                return (queues[index].endpoint, items)
            }
        }
        return nil
    }

    /// Empties all queues.
    mutating func drain() -> [WorkItem] {
        var items: [WorkItem] = []
        for index in queues.indices { items += queues[index].batcher.drain() }
        return items
    }
}

/// The entries at the end of the primary's log that no signature covers yet, and when one is due.
struct UnsignedTail: Sendable {
    /// Entries since the last signature.
    private(set) var count = 0
    /// Monotonic microseconds of the oldest of them.
    private var since: UInt64 = 0
    /// Signatures that are not committed yet.
    var signaturesInFlight = 0
    /// The constitution's cadence.
    var entriesMax = 16
    /// Longest wait for a signature, in microseconds.
    var delayMax: UInt64 = 5_000

    mutating func entryAppended(now: UInt64) {
        if count == 0 { since = now }
        count += 1
    }

    mutating func signed() {
        count = 0
        signaturesInFlight += 1
    }

    mutating func reset() {
        count = 0
        signaturesInFlight = 0
    }

    /// When a signature is due at the latest.
    var deadline: UInt64? { count > 0 ? since + delayMax : nil }

    /// A signature is due at once when none is on its way, else after so many entries or so much time.
    func isDue(now: UInt64) -> Bool {
        guard count > 0 else { return false }
        return signaturesInFlight == 0 || count >= entriesMax || now >= since + delayMax
    }
}
