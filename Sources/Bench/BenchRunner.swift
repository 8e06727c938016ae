internal import Host
internal import NIOCore
internal import NIOPosix
internal import Primitives
internal import Transport

/// Measures a network under load. Everything is seen from the client's side, over TLS.
public final class BenchRunner: Sendable {
    let network: BenchNetwork
    let settings: BenchSettings
    let progress: @Sendable (String) -> Void
    let group: MultiThreadedEventLoopGroup
    let session: NodeSession

    /// A runner.
    /// - Parameter progress: is told what goes on.
    /// - Throws: ``BenchError`` if the settings or certificates can't be used.
    public init(
        _ network: BenchNetwork, settings: BenchSettings, progress: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(BenchError) {
        try settings.check()
        guard !network.nodes.isEmpty else { throw .setup("no node was named") }
        if case .node(let index) = settings.target, !network.nodes.indices.contains(index) {
            throw .setup("there is no node \(index + 1)")
        }
        self.network = network
        self.settings = settings
        self.progress = progress
        // One more than for the load: the looks at the nodes' commits and the questions of the proof.
        group = MultiThreadedEventLoopGroup(numberOfThreads: settings.threads + 1)
        session = try NodeSession(network, group: group, connections: 2)
    }

    /// Closes connections and threads.
    public func close() async {
        session.close()
        try? await group.shutdownGracefully()
    }

    /// Runs a workload of transfers in each of the loops, and proves the outcome on every node.
    /// - Parameters:
    ///   - workload: ``Workload/transfers`` or ``Workload/erc20``; for the third see ``runMainnet(_:)``.
    ///   - loops: in this order.
    /// - Throws: ``BenchError`` if it can't be measured. What the network does wrong is in the results.
    public func run(
        _ workload: Workload, loops: [LoadLoop]
    ) async throws(BenchError) -> (phases: [PhaseReport], proofs: [NodeProof]) {
        precondition(workload != .mainnet, "mainnet's transactions are no transfers")
        let run = try await prepare(workload)
        let watcher = try CommitWatcher(network, interval: settings.watchInterval, group: group)
        watcher.start()
        defer { watcher.stop() }
        var phases: [PhaseReport] = []
        let watching = try await watchingCost()
        progress("\(workload.rawValue): warming up for \(Format.decimal(settings.warmup)) s")
        var phase = try await warmUp(run, watcher)
        var closedRate = phase.throughput
        for loop in loops {
            switch loop {
            case .closed:
                progress(
                    "\(workload.rawValue): closed loop, \(settings.clients) clients, \(Format.decimal(settings.seconds)) s"
                )
                phase = try await measure(run, loop: .closed, rate: closedRate, watcher, watching)
                closedRate = phase.throughput
            case .open:
                let rate = settings.rate ?? max(1, closedRate / 2)
                progress(
                    "\(workload.rawValue): open loop, \(Format.decimal(rate, 0)) tx/s, \(Format.decimal(settings.seconds)) s"
                )
                phase = try await measure(run, loop: .open, rate: rate, watcher, watching)
            }
            phases.append(phase)
        }
        progress("\(workload.rawValue): proving the outcome on every node")
        return (phases, try await prove(run, workload))
    }

    // MARK: Preparing

    /// A workload under way.
    final class TransferRun {
        let workload: Workload
        let plan: TransferPlan
        let initial: AccountsState
        var book: AccountBook
        var lastSeqno: UInt64 = 0

        init(_ workload: Workload, _ plan: TransferPlan, _ initial: AccountsState) {
            self.workload = workload
            self.plan = plan
            self.initial = initial
            book = AccountBook(plan: plan, nonces: initial.nonces)
        }
    }

    private func prepare(_ workload: Workload) async throws(BenchError) -> TransferRun {
        let primary = try await primaryIndex()
        let node = network.nodes[primary]
        guard let wallet = Wallet(key: settings.funderKey) else { throw .setup("the funder's key is no key") }
        progress("\(workload.rawValue): funding \(Format.integer(settings.accounts)) accounts")
        var funder = try await Funder(wallet: wallet, session: session, node: node.application)
        let seed = SplitMix.mix(settings.seed &+ (workload == .erc20 ? 1 : 0))
        let wallets = (0..<settings.accounts).map { Wallet(seed: seed, index: $0) }
        let each = UInt64(settings.presignedMax / settings.accounts) * 4 + 1000
        let plan = try await funder.prepare(workload, wallets: wallets, transfersEach: each)
        return TransferRun(workload, plan, try await AccountsState(of: plan, session: session, node: node))
    }

    /// Place of the node that says that it is primary.
    /// - Throws: ``BenchError`` if none does.
    func primaryIndex() async throws(BenchError) -> Int {
        let deadline = HostClock.monotonicMicroseconds() + 10_000_000
        var failure: BenchError?
        while HostClock.monotonicMicroseconds() < deadline {
            for (index, node) in network.nodes.enumerated() {
                do throws(BenchError) {
                    let state = try await session.getJSON("/node/state", of: node.application)
                    if state["primary"]?.bool == true { return index }
                } catch { failure = error }
            }
            do { try await Task.sleep(for: .milliseconds(50)) } catch { break }
        }
        throw failure ?? .unreachable("no node says that it is primary")
    }

    func targets() async throws(BenchError) -> [HTTPEndpoint] {
        switch settings.target {
        case .primary: return [network.nodes[try await primaryIndex()].application]
        case .all: return network.nodes.map(\.application)
        case .node(let index): return [network.nodes[index].application]
        }
    }

    /// What each process takes a second while only the watching goes on, in nanoseconds.
    func watchingCost() async throws(BenchError) -> [UInt64] {
        var meter = ProcessorMeter(network)
        let start = HostClock.monotonicMicroseconds()
        meter.start()
        do { try await Task.sleep(for: .seconds(1)) } catch { throw .timeout("cancelled") }
        meter.stop()
        let elapsed = max(1, HostClock.monotonicMicroseconds() - start)
        return meter.nanoseconds.map { $0 * 1_000_000 / elapsed }
    }

    // MARK: Measuring

    private func warmUp(_ run: TransferRun, _ watcher: CommitWatcher) async throws(BenchError) -> PhaseReport {
        try await load(run, loop: .closed, rate: 1000, seconds: max(0.2, settings.warmup), watcher, watching: nil)
    }

    private func measure(
        _ run: TransferRun, loop: LoadLoop, rate: Double, _ watcher: CommitWatcher, _ watching: [UInt64]
    ) async throws(BenchError) -> PhaseReport {
        try await load(run, loop: loop, rate: rate, seconds: settings.seconds, watcher, watching: watching)
    }

    /// Signs, then runs one load.
    /// - Parameter rate: transactions a second to sign for, and of the open loop.
    private func load(
        _ run: TransferRun, loop: LoadLoop, rate: Double, seconds: Double, _ watcher: CommitWatcher,
        watching: [UInt64]?
    ) async throws(BenchError) -> PhaseReport {
        // An open loop's accounts share its rate evenly; a closed loop may get faster once everything is warm.
        let wanted = min(Double(settings.presignedMax), rate * seconds * (loop == .open ? 1.1 : 1.5))
        let each = Int(wanted / Double(settings.accounts)) + 2
        run.book.supply(await run.plan.presign(from: run.book.nextNonces, count: each))
        let targets = try await targets()
        let loadSession = try NodeSession(
            network, group: group, connections: settings.connections,
            // An open loop sends what is due: a node shall see more than it takes rather than the client hold it back.
            pipelineDepth: loop == .open ? 128 : settings.clients / settings.connections + 1,
            timeout: .seconds(30))
        defer { loadSession.close() }
        let before = try await counters()
        var meter = ProcessorMeter(network)
        let start = HostClock.monotonicMicroseconds() + 1000
        let end = start + UInt64(seconds * 1_000_000)
        let driver: LoadGenerator.Loop =
            switch loop {
            case .closed: .closed(clients: settings.clients)
            case .open:
                .open(
                    ArrivalSchedule(
                        rate: rate / Double(settings.batch), spacing: settings.spacing, start: start, end: end,
                        seed: settings.seed))
            }
        let generator = LoadGenerator(
            .init(
                loop: driver, batch: settings.batch, targets: targets, nodes: network.nodes.map(\.application),
                start: start, end: end), book: run.book,
            session: loadSession, eventLoop: group.next())
        meter.start()
        let (result, book) = await generator.run()
        meter.stop()
        run.book = book
        run.lastSeqno = max(run.lastSeqno, result.records.map(\.seqno).max() ?? 0)
        try await watcher.wait(for: run.lastSeqno)
        let after = try await counters()
        let words = loop == .closed ? "closed, \(settings.clients) clients" : "open, \(Format.decimal(rate, 0)) tx/s"
        var report = LoadSummary(result: result, timelines: watcher.timelines, start: start, end: end)
            .report(workload: run.workload, loop: words)
        report.signedLate = book.signedLate
        report.add(meter, watching: watching)
        report.add(before: before, after: after)
        return report
    }

    /// The counters of every node; none of a node that has none.
    func counters() async throws(BenchError) -> [NodeCounters] {
        var counters: [NodeCounters] = []
        for node in network.nodes {
            let text = try await session.get("/node/metrics", of: node.application)
            counters.append(NodeCounters(String(decoding: text, as: UTF8.self)))
        }
        return counters
    }

    // MARK: Proving

    private func prove(_ run: TransferRun, _ workload: Workload) async throws(BenchError) -> [NodeProof] {
        let proof = TransferProof(plan: run.plan, book: run.book, initial: run.initial)
        var proofs: [NodeProof] = []
        for node in network.nodes {
            let state = try await AccountsState(of: run.plan, session: session, node: node)
            proofs.append(proof.check(state, node: node.name, subject: workload.rawValue))
        }
        return await addLedgers(to: proofs, through: run.lastSeqno)
    }

    /// Adds to each node's proof what its ledger files show.
    func addLedgers(to proofs: [NodeProof], through seqno: UInt64) async -> [NodeProof] {
        let network = network
        let ledgers = await withTaskGroup(of: (Int, LedgerProof?).self) { group in
            for (index, node) in network.nodes.enumerated() {
                group.addTask {
                    let proof = node.ledgerFolder.map {
                        LedgerProof.verify(
                            folder: $0, networkCertificatePEM: network.networkCertificatePEM, through: seqno)
                    }
                    return (index, proof)
                }
            }
            var ledgers = [LedgerProof?](repeating: nil, count: network.nodes.count)
            for await (index, proof) in group { ledgers[index] = proof }
            LedgerProof.compare(&ledgers)
            return ledgers
        }
        return zip(proofs, ledgers).map { proof, ledger in
            var proof = proof
            proof.ledger = ledger
            return proof
        }
    }
}
