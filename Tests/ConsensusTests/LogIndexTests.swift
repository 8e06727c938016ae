import Consensus
import Testing

@Suite struct LogIndexTests {
    /// Entries as `view` digits, `s` after those that are signatures: "1 1s 3".
    private func index(_ log: String) -> LogIndex {
        var index = LogIndex()
        for (offset, word) in log.split(separator: " ").enumerated() {
            let isSignature = word.hasSuffix("s")
            let view = UInt64(word.prefix { $0.isNumber }) ?? 0
            index.append(LogPosition(view: view, seqno: UInt64(offset) + 1), kind: isSignature ? .signature : .data)
        }
        return index
    }

    @Test func viewsAndSignatures() {
        let log = index("1 1s 3 3 3s 3 7")
        #expect(log.last == LogPosition(view: 7, seqno: 7))
        #expect(log.lastSignature == LogPosition(view: 3, seqno: 5))
        #expect((0...8).map { log.view(at: $0) } == [0, 1, 1, 3, 3, 3, 3, 7, nil])
        #expect(log.holds(LogPosition(view: 3, seqno: 4)))
        #expect(!log.holds(LogPosition(view: 4, seqno: 4)))
        #expect(!log.holds(LogPosition(view: 7, seqno: 8)))
    }

    /// Against a plain search over all entries, for all pairs of small logs.
    @Test func agreement() {
        let log = index("1 1s 3 3 3s 3 7")
        for view in 0...9 as ClosedRange<UInt64> {
            for seqno in 0...9 as ClosedRange<UInt64> {
                let asked = LogPosition(view: view, seqno: seqno)
                var best = LogPosition.zero
                for candidate in 1...7 as ClosedRange<UInt64> {
                    if candidate <= seqno, let own = log.view(at: candidate), own <= view {
                        best = LogPosition(view: own, seqno: candidate)
                    }
                }
                #expect(log.agreement(with: asked) == best, "\(asked)")
            }
        }
    }

    @Test func truncation() {
        var log = index("1 1s 3 3 3s 3 7")
        log.truncate(to: 4)
        #expect(log.last == LogPosition(view: 3, seqno: 4))
        #expect(log.lastSignature == LogPosition(view: 1, seqno: 2))
        log.append(LogPosition(view: 5, seqno: 5), kind: .signature)
        #expect(log.lastSignature == LogPosition(view: 5, seqno: 5))
        log.truncate(to: 0)
        #expect(log.last == .zero)
        #expect(log.lastSignature == .zero)
    }

    @Test func snapshotIsASignature() throws {
        let base = LogPosition(view: 4, seqno: 100)
        let configuration = try Configuration(voters: ["a"])
        var log = LogIndex(
            snapshot: base, configurations: [PlacedConfiguration(seqno: 1, configuration: configuration)])
        #expect(log.lastSignature == base)
        #expect(log.view(at: 99) == nil)
        #expect(log.agreement(with: LogPosition(view: 9, seqno: 50)) == .zero)
        log.append(LogPosition(view: 5, seqno: 101), kind: .data)
        #expect(log.agreement(with: LogPosition(view: 4, seqno: 200)) == base)
    }
}
