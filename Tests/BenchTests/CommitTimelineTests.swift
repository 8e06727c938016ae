import Bench
import Testing

@Suite("Commit timeline")
struct CommitTimelineTests {
    @Test("a commit lies between the last question without it and the first answer with it")
    func bounds() {
        var timeline = CommitTimeline()
        timeline.observe(5, asked: 100, answered: 110)
        timeline.observe(5, asked: 200, answered: 210)
        timeline.observe(9, asked: 300, answered: 315)
        #expect(timeline.bounds(of: 6) == .init(seqno: 9, after: 200, by: 315))
        #expect(timeline.bounds(of: 9)?.by == 315)
        #expect(timeline.bounds(of: 5)?.by == 110)
        #expect(timeline.bounds(of: 10) == nil)
        #expect(timeline.lastSeqno == 9)
    }

    @Test("an answer that shows less than before changes nothing")
    func backwards() {
        var timeline = CommitTimeline()
        timeline.observe(5, asked: 100, answered: 110)
        timeline.observe(4, asked: 120, answered: 130)
        #expect(timeline.steps.count == 1)
        timeline.observe(6, asked: 140, answered: 150)
        #expect(timeline.bounds(of: 6) == .init(seqno: 6, after: 120, by: 150))
    }

    @Test("nothing seen, nothing known")
    func empty() {
        #expect(CommitTimeline().bounds(of: 1) == nil)
        #expect(CommitTimeline().lastSeqno == 0)
    }
}
