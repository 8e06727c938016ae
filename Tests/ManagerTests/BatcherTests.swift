import Manager
import Testing

@Suite("Batcher")
struct BatcherTests {
    /// The macro can't take a call that changes its subject.
    private func expect(_ condition: Bool, at location: SourceLocation = #_sourceLocation) {
        #expect(condition, sourceLocation: location)
    }

    @Test("a batch is cut at once when idle, else when full or due")
    func cuts() {
        var batcher = Batcher<Int>()
        #expect(batcher.cut(idle: true, now: 0) == nil)
        expect(batcher.enqueue(1, bytes: 10, now: 100))
        #expect(batcher.cut(idle: false, now: 101) == nil)
        #expect(batcher.deadline == 5_100)
        #expect(batcher.cut(idle: false, now: 5_100) == [1])
        expect(batcher.enqueue(2, bytes: 10, now: 200))
        #expect(batcher.cut(idle: true, now: 200) == [2])
        for number in 0..<150 { expect(batcher.enqueue(number, bytes: 1, now: 300)) }
        #expect(batcher.cut(idle: false, now: 300)?.count == 100)
        #expect(batcher.cut(idle: false, now: 300) == nil)
        #expect(batcher.count == 50)
    }

    @Test("it is bounded in number and bytes")
    func isBounded() {
        var limits = Batcher<Int>.Limits()
        limits.queuedMax = 3
        limits.queuedBytesMax = 100
        limits.batchBytesMax = 60
        var batcher = Batcher<Int>(limits: limits)
        expect(batcher.enqueue(1, bytes: 50, now: 0))
        expect(!batcher.enqueue(2, bytes: 51, now: 0))
        expect(batcher.enqueue(3, bytes: 40, now: 0))
        expect(batcher.enqueue(4, bytes: 1, now: 0))
        expect(!batcher.enqueue(5, bytes: 0, now: 0))
        #expect(batcher.cut(idle: true, now: 0) == [1])
        #expect(batcher.drain() == [3, 4])
        expect(batcher.enqueue(6, bytes: 100, now: 0))
    }
}
