/// Which view each entry of the whole ledger is of, from the first entry on: consensus forgets what a snapshot covers.
struct ViewHistory: Sendable, Equatable {
    private struct Run: Sendable, Equatable {
        let view: UInt64
        let start: UInt64
    }

    private var runs: [Run] = []

    init() {}

    /// Reads CCF's form; nil unless its starts ascend.
    init?(starts: [UInt64]) {
        for (index, start) in starts.enumerated() {
            guard start >= runs.last?.start ?? 1 else { return nil }
            if runs.last?.start == start { runs.removeLast() }
            runs.append(Run(view: UInt64(index + 1), start: start))
        }
    }

    /// CCF's form: the first seqno of each view from 1 on; a view without an entry has the start of the next.
    var starts: [UInt64] {
        var starts: [UInt64] = []
        for run in runs {
            while UInt64(starts.count) < run.view { starts.append(run.start) }
        }
        return starts
    }

    mutating func append(view: UInt64, seqno: UInt64) {
        if runs.last?.view != view { runs.append(Run(view: view, start: seqno)) }
    }

    /// Entries after `seqno` never happened.
    mutating func truncate(to seqno: UInt64) {
        while let last = runs.last, last.start > seqno { runs.removeLast() }
    }

    /// The view of an entry that is not after the last one.
    func view(at seqno: UInt64) -> UInt64? {
        runs.last { $0.start <= seqno }?.view
    }
}
