import Bench
import Testing

@Suite("Arrival schedule")
struct ArrivalScheduleTests {
    private func all(_ schedule: ArrivalSchedule) -> [UInt64] {
        var schedule = schedule
        var times: [UInt64] = []
        while let time = schedule.take(at: .max) { times.append(time) }
        return times
    }

    @Test("even arrivals come at their rate, without drift")
    func even() {
        let times = all(ArrivalSchedule(rate: 3000, spacing: .even, start: 1000, end: 10_001_000, seed: 1))
        #expect(times.count == 30_000)
        #expect(times.first == 1000)
        #expect(times[3000] == 1_001_000)
        #expect(times[29_999] == 1000 + UInt64(29_999.0 * 1_000_000 / 3000))
    }

    @Test("Poisson arrivals have the rate on average and rise")
    func poisson() {
        let times = all(ArrivalSchedule(rate: 1000, spacing: .poisson, start: 0, end: 20_000_000, seed: 7))
        #expect(abs(times.count - 20_000) < 600)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(times == all(ArrivalSchedule(rate: 1000, spacing: .poisson, start: 0, end: 20_000_000, seed: 7)))
        #expect(times != all(ArrivalSchedule(rate: 1000, spacing: .poisson, start: 0, end: 20_000_000, seed: 8)))
    }

    @Test("nothing is due before its time, and late requests keep theirs")
    func due() {
        var schedule = ArrivalSchedule(rate: 100, spacing: .even, start: 0, end: 50_000, seed: 0)
        func take(_ now: UInt64) -> UInt64? { schedule.take(at: now) }
        #expect(take(0) == 0)
        #expect(take(9_999) == nil)
        #expect(schedule.next == 10_000)
        #expect(take(40_000) == 10_000)
        #expect(take(40_000) == 20_000)
        #expect(take(1_000_000) == 30_000)
        #expect(take(1_000_000) == 40_000)
        #expect(schedule.next == nil)
    }

    @Test("a window that ends before it starts has no arrivals")
    func emptyWindow() {
        #expect(all(ArrivalSchedule(rate: 100, spacing: .even, start: 10, end: 5, seed: 0)).isEmpty)
    }
}
