package import EthereumAdapter
internal import Host
internal import NIOPosix
package import Primitives

/// Replays blocks of a public chain through a network whose genesis allows it, and compares what every node has then.
public final class NetworkReplay: Sendable {
    private let network: BenchNetwork
    private let session: NodeSession

    /// A replay through a network.
    /// - Throws: ``BenchError``.
    public init(_ network: BenchNetwork) throws(BenchError) {
        guard !network.nodes.isEmpty else { throw .setup("no node was named") }
        self.network = network
        session = try NodeSession(network, group: MultiThreadedEventLoopGroup.singleton, connections: 2)
    }

    /// Closes the connections.
    public func close() { session.close() }

    /// Replays a block: loads what is before it, executes its transactions as one batch, asks every node for the result.
    /// - Throws: ``BenchError`` if the network can't be used. What it does otherwise, or refuses, is in the verdict.
    public func run(_ file: ReplayFile) async throws(BenchError) -> ReplayVerdict {
        let findings = file.replay.checkStatements()
        let first = network.nodes[0].application
        var start = HostClock.monotonicMicroseconds()
        let done: NodeSession.Answer
        do throws(BenchError) {
            let loaded = try await session.call(body: file.loadCall, of: first)
            start = HostClock.monotonicMicroseconds()
            done = try await session.call(body: file.blockCall, of: first, atLeast: loaded.transaction)
        } catch {
            // Busy or gone is trouble of the network; a refusal is what this block came to.
            guard error.isRefusal else { throw error }
            let refusal = ReplayFinding("network", expected: "executed", actual: "\(error)")
            return ReplayVerdict(file, gasUsed: 0, microseconds: 0, findings: findings + [refusal])
        }
        let elapsed = HostClock.monotonicMicroseconds() - start
        var all = findings
        var gasUsed: UInt64 = 0
        for (index, node) in network.nodes.enumerated() {
            let result = try await session.call(
                "entente_replayResult", ["latest"], of: node.application, atLeast: done.transaction
            ).result
            let found = Self.compare(result, with: file.replay)
            if index == 0 {
                gasUsed = (try? result["gasUsed"]?.asUInt64()) ?? 0
                all += found
            } else {
                // Only what this node has otherwise than the first.
                all += found.filter { !all.contains($0) }.map {
                    ReplayFinding("\(node.name): \($0.subject)", expected: $0.expected, actual: $0.actual)
                }
            }
        }
        return ReplayVerdict(file, gasUsed: gasUsed, microseconds: elapsed, findings: all)
    }

    /// What a node's result says otherwise than the file.
    package static func compare(_ result: JSON, with replay: ReplayCase) -> [ReplayFinding] {
        let outcome: ReplayOutcome
        do throws(CaseFileError) { outcome = try ReplayOutcome(replayResult: result, of: replay) } catch {
            return [ReplayFinding("result", expected: "the result of a block", actual: "\(error)")]
        }
        return replay.checkTransactions(result["receipts"]?.array ?? [])
            + replay.compare(outcome).map { ReplayFinding($0) }
    }
}

/// Replays blocks on the EVM alone.
public struct LocalReplay {
    private let runner = ReplayRunner(now: { HostClock.monotonicMicroseconds() * 1000 })

    /// A replay without a network.
    public init() {}

    /// Replays a block.
    public func run(_ file: ReplayFile) -> ReplayVerdict {
        let report = runner.run(file.replay)
        let times = report.times
        return ReplayVerdict(
            file, gasUsed: report.gasUsed,
            microseconds: (times.decode + times.recover + times.execute + times.root) / 1000,
            findings: report.differences.map { ReplayFinding($0) })
    }
}
