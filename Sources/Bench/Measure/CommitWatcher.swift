internal import Host
internal import NIOCore
internal import Synchronization
internal import Transport

/// Asks every node, on a connection of its own, again and again for what it has committed, and keeps when it said so.
///
/// The resolution is the time from one question to the next one's answer. It takes processor time of nodes and client
/// alike; how much, the bench measures with the nodes idle and says.
final class CommitWatcher: Sendable {
    private struct State {
        var timelines: [CommitTimeline]
        var polls: UInt64 = 0
        var failures = 0
        var isStopped = false
    }

    private let nodes: [HTTPEndpoint]
    private let session: NodeSession
    private let interval: UInt64
    private let group: any EventLoopGroup
    private let state: Mutex<State>

    /// A watcher, which asks from ``start()`` on.
    /// - Parameter interval: from one question to the next, in microseconds, if the answer is quicker.
    init(_ network: BenchNetwork, interval: UInt64, group: any EventLoopGroup) throws(BenchError) {
        nodes = network.nodes.map(\.application)
        session = try NodeSession(network, group: group, timeout: .seconds(10))
        self.interval = interval
        self.group = group
        state = Mutex(State(timelines: [CommitTimeline](repeating: CommitTimeline(), count: network.nodes.count)))
    }

    /// Begins to ask.
    func start() { for node in nodes.indices { ask(node) } }

    /// Asks no more and closes the connections.
    func stop() {
        state.withLock { $0.isStopped = true }
        session.close()
    }

    /// What was seen of each node.
    var timelines: [CommitTimeline] { state.withLock { $0.timelines } }

    /// Questions asked.
    var polls: UInt64 { state.withLock { $0.polls } }

    /// Questions that got no answer.
    var failures: Int { state.withLock { $0.failures } }

    /// Waits until every node was seen to have committed an entry.
    /// - Throws: ``BenchError/timeout(_:)``.
    func wait(for seqno: UInt64, timeout: UInt64 = 60_000_000) async throws(BenchError) {
        let deadline = HostClock.monotonicMicroseconds() + timeout
        while true {
            let lowest = state.withLock { $0.timelines.map(\.lastSeqno).min() ?? 0 }
            if lowest >= seqno { return }
            guard HostClock.monotonicMicroseconds() < deadline else {
                throw .timeout("not every node has committed entry \(seqno): the slowest one is at \(lowest)")
            }
            do { try await Task.sleep(for: .milliseconds(1)) } catch { throw .timeout("cancelled") }
        }
    }

    private func ask(_ node: Int) {
        let asked = HostClock.monotonicMicroseconds()
        let request = HTTPClientRequest(method: "GET", target: "/node/commit")
        session.client.send(request, to: nodes[node]) { [self] outcome in
            let answered = HostClock.monotonicMicroseconds()
            var pause: UInt64 = asked + interval > answered ? asked + interval - answered : 0
            let goesOn = state.withLock { state in
                state.polls += 1
                if case .success(let response) = outcome, response.status == 200 {
                    let seqno = NodeSession.seqno(response.header(NodeSession.transactionHeader))
                    state.timelines[node].observe(seqno, asked: asked, answered: answered)
                } else {
                    state.failures += 1
                    pause = 20_000
                }
                return !state.isStopped
            }
            guard goesOn else { return }
            if pause == 0 { return ask(node) }
            group.next().scheduleTask(in: .microseconds(Int64(pause))) { self.ask(node) }
        }
    }
}
