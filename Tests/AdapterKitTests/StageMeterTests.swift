import AdapterKit
import Synchronization
import Testing

@Suite("Stage meter")
struct StageMeterTests {
    /// A clock that the test winds.
    private final class Clock: Sendable {
        private let now = Mutex<UInt64>(0)
        var time: UInt64 { now.withLock { $0 } }
        func pass(_ nanoseconds: UInt64) { now.withLock { $0 += nanoseconds } }
    }

    private func times(_ meter: StageMeter) -> [Stage: UInt64] {
        Dictionary(uniqueKeysWithValues: zip(Stage.allCases, meter.nanoseconds).filter { $0.1 > 0 })
    }

    @Test("each moment counts for one stage, the innermost")
    func nesting() {
        let clock = Clock()
        let meter = StageMeter { clock.time }
        clock.pass(1)
        meter.measure(.execute) {
            clock.pass(10)
            meter.measure(.stateRoot) { clock.pass(100) }
            clock.pass(20)
        }
        clock.pass(2)
        #expect(times(meter) == [.execute: 30, .stateRoot: 100, .transport: 3])
        let before = meter.enter(.seal)
        #expect(before == .transport)
        clock.pass(5)
        #expect(times(meter)[.seal] == 5)
        #expect(meter.enter(before) == .seal)
    }

    @Test("other threads' time is added once, and a clock that another thread began does no harm")
    func beside() {
        let clock = Clock()
        clock.pass(1_000)
        let meter = StageMeter { clock.time >= 1_000 ? 1_000 : clock.time }
        meter.note(beside: .replicate, total: 7)
        meter.note(beside: .replicate, total: 9)
        meter.note(beside: .replicate, total: 8)
        #expect(times(meter) == [.replicate: 9])
        let backwards = StageMeter { 5 }
        backwards.enter(.apply)
        #expect(times(backwards) == [:])
    }
}
