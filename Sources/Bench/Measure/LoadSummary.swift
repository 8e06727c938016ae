/// Turns a load's records and the nodes' timelines into numbers.
struct LoadSummary {
    let result: LoadGenerator.Result
    let timelines: [CommitTimeline]
    /// The window, in microseconds.
    let start: UInt64
    let end: UInt64

    func report(workload: Workload, loop: String) -> PhaseReport {
        var answer = LatencyHistogram()
        var allNodes = LatencyHistogram()
        var resolution = LatencyHistogram()
        var acknowledged: UInt64 = 0
        var inTime: UInt64 = 0
        var unseen: UInt64 = 0
        for record in result.records {
            let count = UInt64(record.count)
            acknowledged += count
            if record.answered <= end { inTime += count }
            answer.record(record.answered - min(record.due, record.answered), times: count)
            guard let last = Self.lastCommit(of: record.seqno, timelines) else {
                unseen += count
                continue
            }
            allNodes.record(last.by - min(record.due, last.by), times: count)
            resolution.record(last.by - last.after, times: count)
        }
        var report = PhaseReport(
            workload: workload, loop: loop, seconds: Double(end - start) / 1_000_000, acknowledged: acknowledged,
            acknowledgedInTime: inTime, answer: Quantiles(answer), allNodes: Quantiles(allNodes),
            resolution: Quantiles(resolution))
        report.notSeenEverywhere = unseen
        report.busy = result.busy
        report.unreachable = result.unreachable
        report.refused = result.refused
        report.unknown = result.unknown
        report.notSent = result.notSent
        report.reasons = result.reasons
        return report
    }

    /// When the last of the nodes committed an entry; nil if one was not seen to, or the entry is not known.
    static func lastCommit(of seqno: UInt64, _ timelines: [CommitTimeline]) -> CommitTimeline.Step? {
        guard seqno > 0 else { return nil }
        var last: CommitTimeline.Step?
        for timeline in timelines {
            guard let step = timeline.bounds(of: seqno) else { return nil }
            if step.by > last?.by ?? 0 { last = step }
        }
        return last
    }
}

extension PhaseReport {
    mutating func add(_ meter: ProcessorMeter, watching: [UInt64]?) {
        processors = meter.subjects.enumerated().map { index, subject in
            Processor(
                node: subject.node, process: subject.process, nanoseconds: meter.nanoseconds[index],
                watchingNanosecondsPerSecond: watching.flatMap { index < $0.count ? $0[index] : nil })
        }
    }

    mutating func add(before: [NodeCounters], after: [NodeCounters]) {
        for (before, after) in zip(before, after) {
            for (stage, value) in after.stages {
                stages[stage, default: 0] += max(0, value - (before.stages[stage] ?? 0))
            }
        }
        guard let before = before.first, let after = after.first else { return }
        nodeTransactions += max(
            0, after["entente_transactions_committed_total"] - before["entente_transactions_committed_total"])
        nodeEntries += max(0, after["entente_entries_committed_total"] - before["entente_entries_committed_total"])
    }
}
