import Consensus
import Simulator
import Testing

@Suite("Commit times by placement")
struct PlacementStudyTests {
    private func table(_ pairs: [(String, String, UInt64)]) -> RoundTrips {
        var table = RoundTrips(within: 1_000)
        for (one, other, time) in pairs { table[one, other] = time }
        return table
    }

    private func median(_ study: PlacementStudy, _ place: String) throws -> UInt64 {
        let times = try study.commitTimes(leaderAt: place, writes: 20).sorted()
        #expect(times.count == 20)
        return times[10]
    }

    @Test("a commit takes the round trip to the nearest quorum, and the syncs")
    func nearestQuorum() throws {
        let times = table([("a", "b", 40_000), ("a", "c", 100_000), ("b", "c", 70_000)])
        func study(_ replication: Int) -> PlacementStudy {
            PlacementStudy(
                places: ["a", "b", "c"], policy: .replication(replication), roundTrips: times, sync: 2_000)
        }
        // The follower's sync is on the way; the leader's own is done meanwhile. Events are looked at each millisecond.
        #expect((42_000...44_000).contains(try median(study(2), "a")))
        #expect((42_000...44_000).contains(try median(study(2), "b")))
        #expect((72_000...74_000).contains(try median(study(2), "c")))
        #expect((102_000...104_000).contains(try median(study(3), "a")))
        // Alone it waits for its own disk.
        #expect((2_000...4_000).contains(try median(study(1), "a")))
    }

    @Test("nine nodes at three places: with fewer that must have an entry no ocean is crossed")
    func nine() throws {
        let places = ["frankfurt", "london", "newyork"].flatMap { Array(repeating: $0, count: 3) }
        func study(_ replication: Int) -> PlacementStudy {
            PlacementStudy(places: places, policy: .replication(replication), roundTrips: .typical)
        }
        #expect((76_000...80_000).contains(try median(study(5), "newyork")))
        #expect((16_000...20_000).contains(try median(study(5), "london")))
        #expect(try median(study(3), "newyork") < 4_000)
    }

    @Test("the same study gives the same times; unsafe quorums and unknown places are refused")
    func deterministicAndRefused() throws {
        let study = PlacementStudy(
            places: ["frankfurt", "london", "tokyo"], policy: .majority, roundTrips: .typical)
        #expect(try study.commitTimes(leaderAt: "tokyo") == study.commitTimes(leaderAt: "tokyo"))
        #expect(throws: ConsensusError.self) { try study.commitTimes(leaderAt: "paris") }
        let unsafe = PlacementStudy(
            places: ["a", "a", "a", "a", "a"], policy: .flexible(replication: 2, election: 3), roundTrips: RoundTrips())
        #expect(throws: ConsensusError.self) { try unsafe.commitTimes(leaderAt: "a") }
    }
}
