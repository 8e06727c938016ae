internal import EthereumAdapter
internal import Host
internal import NIOCore
internal import Primitives
internal import Transport

extension BenchRunner {
    /// Loops over blocks of a public chain: what is before a block is loaded without being measured, then its
    /// transactions are sent as one batch, and the clock runs until every node has committed them. Whole rounds, until the
    /// clock ran for the seconds of the settings.
    ///
    /// - Parameter files: the blocks, in order.
    /// - Throws: ``BenchError`` if it can't be measured: most of all, if the network's genesis does not allow replay.
    public func runMainnet(_ files: [ReplayFile]) async throws(BenchError) -> (PhaseReport, [NodeProof]) {
        guard !files.isEmpty else { throw .input("there are no blocks to send") }
        let watcher = try CommitWatcher(network, interval: settings.watchInterval, group: group)
        watcher.start()
        defer { watcher.stop() }
        let watching = try await watchingCost()
        var run = MainnetRun(network, start: HostClock.monotonicMicroseconds())
        // One round that is not measured, as the other loads have their warm-up.
        if settings.warmup > 0 {
            progress("mainnet: warming up with one round of \(files.count) blocks")
            for file in files { try await send(file, &run, watcher, isMeasured: false) }
        }
        progress(
            "mainnet: rounds of \(files.count) blocks until the clock has run for \(Format.decimal(settings.seconds)) s"
        )
        var rounds = 0
        while Double(run.elapsed) < settings.seconds * 1_000_000 {
            for file in files { try await send(file, &run, watcher, isMeasured: true) }
            rounds += 1
            progress("mainnet: round \(rounds), \(Format.decimal(Double(run.elapsed) / 1_000_000)) s")
        }
        let loop = "one block at a time, \(rounds) round\(rounds == 1 ? "" : "s")"
        let phase = run.report(loop: loop, watching: watching)
        progress("mainnet: proving the outcome on every node")
        return (phase, await addLedgers(to: run.proofs, through: run.lastSeqno))
    }

    private func send(
        _ file: ReplayFile, _ run: inout MainnetRun, _ watcher: CommitWatcher, isMeasured: Bool
    ) async throws(BenchError) {
        let node = try await targets()[0]
        let call = file.blockCall
        let loaded = try await session.call(body: file.loadCall, of: node)
        try await watcher.wait(for: loaded.seqno)
        let before = isMeasured ? try await counters() : []
        if isMeasured { run.meter.start() }
        let start = HostClock.monotonicMicroseconds()
        let answer = try await session.call(body: call, of: node, atLeast: loaded.transaction)
        let answered = HostClock.monotonicMicroseconds()
        try await watcher.wait(for: answer.seqno)
        if isMeasured { run.meter.stop() }
        guard let last = LoadSummary.lastCommit(of: answer.seqno, watcher.timelines) else {
            throw .unexpectedAnswer("the node did not say in which entry the block is")
        }
        if isMeasured {
            run.add(file, start: start, answered: answered, last: last)
            run.counters.append((before, try await counters()))
        }
        run.lastSeqno = max(run.lastSeqno, answer.seqno)
        for index in network.nodes.indices {
            let block = try await session.call(
                "eth_getBlockByNumber", ["latest", false], of: network.nodes[index].application,
                atLeast: answer.transaction
            ).result
            run.check(block, of: file, node: index)
        }
    }
}

/// What rounds of blocks came to so far.
struct MainnetRun {
    var meter: ProcessorMeter
    var counters: [(before: [NodeCounters], after: [NodeCounters])] = []
    var lastSeqno: UInt64 = 0
    private(set) var proofs: [NodeProof]
    /// Microseconds for which the clock ran.
    private(set) var elapsed: UInt64 = 0
    private var answer = LatencyHistogram()
    private var allNodes = LatencyHistogram()
    private var resolution = LatencyHistogram()
    private var transactions: UInt64 = 0

    private static let problemsMax = 5

    init(_ network: BenchNetwork, start: UInt64) {
        meter = ProcessorMeter(network)
        proofs = network.nodes.map {
            NodeProof(name: $0.name, acknowledged: 0, unknown: 0, committed: 0, subject: Workload.mainnet.rawValue)
        }
    }

    mutating func add(_ file: ReplayFile, start: UInt64, answered: UInt64, last: CommitTimeline.Step) {
        let count = UInt64(file.replay.transactions.count)
        transactions += count
        // The clock stops when the client knows and every node has it.
        let end = max(answered, last.by)
        elapsed += end - start
        answer.record(answered - start, times: count)
        allNodes.record(last.by - min(start, last.by), times: count)
        resolution.record(last.by - last.after, times: count)
    }

    /// Holds a node's newest block against the file.
    mutating func check(_ block: JSON, of file: ReplayFile, node: Int) {
        let count = UInt64(file.replay.transactions.count)
        proofs[node].acknowledged += count
        proofs[node].compared += 1
        proofs[node].committed += UInt64(block["transactions"]?.array?.count ?? 0)
        var problems: [String] = []
        let hashes = (block["transactions"]?.array ?? []).map { $0.string ?? "" }
        if hashes != file.replay.transactions.map(\.hash.hex) { problems.append("it has other transactions") }
        if block["gasUsed"]?.string != UInt256(file.replay.gasUsed).hex {
            problems.append(
                "gas used is \(block["gasUsed"]?.string ?? "missing"), not \(UInt256(file.replay.gasUsed).hex)")
        }
        if block["stateRoot"]?.string != file.replay.postStateRoot.hex { problems.append("it has another state root") }
        for problem in problems where proofs[node].problems.count < Self.problemsMax {
            proofs[node].problems.append("block \(file.replay.header.number): \(problem)")
        }
    }

    func report(loop: String, watching: [UInt64]) -> PhaseReport {
        var report = PhaseReport(
            workload: .mainnet, loop: loop, seconds: Double(elapsed) / 1_000_000, acknowledged: transactions,
            acknowledgedInTime: transactions, answer: Quantiles(answer), allNodes: Quantiles(allNodes),
            resolution: Quantiles(resolution))
        report.add(meter, watching: watching)
        for (before, after) in counters { report.add(before: before, after: after) }
        return report
    }
}
