import Bench
import Testing

@Suite("Latency histogram")
struct LatencyHistogramTests {
    @Test("an empty one has no values")
    func empty() {
        let histogram = LatencyHistogram()
        #expect(histogram.count == 0)
        #expect(histogram.quantile(0.5) == 0)
        #expect(histogram.mean == 0)
    }

    @Test("small values are exact")
    func small() {
        var histogram = LatencyHistogram()
        for value in 1...100 { histogram.record(UInt64(value)) }
        #expect(histogram.quantile(0.5) == 50)
        #expect(histogram.quantile(0.99) == 99)
        #expect(histogram.quantile(1) == 100)
        #expect(histogram.quantile(0) == 1)
        #expect(histogram.mean == 50.5)
    }

    @Test("quantiles are within 0.8 percent of those of the sorted values", arguments: [1, 2, 3] as [UInt64])
    func large(seed: UInt64) {
        var state = seed
        var values: [UInt64] = []
        var histogram = LatencyHistogram()
        for _ in 0..<5000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = state >> (33 + state % 20)
            values.append(value)
            histogram.record(value)
        }
        values.sort()
        for share in [0.01, 0.5, 0.9, 0.99, 0.999] {
            let exact = Double(values[Int((share * 5000).rounded(.up)) - 1])
            #expect(abs(Double(histogram.quantile(share)) - exact) <= exact * 0.008 + 1)
        }
        #expect(histogram.max == values.last)
        #expect(histogram.min == values.first)
    }

    @Test("the largest numbers have a bucket")
    func extremes() {
        var histogram = LatencyHistogram()
        histogram.record(.max)
        histogram.record(0)
        #expect(histogram.quantile(1) == .max)
        #expect(histogram.quantile(0.5) == 0)
    }

    @Test("merging adds up")
    func merge() {
        var left = LatencyHistogram()
        left.record(10, times: 3)
        var right = LatencyHistogram()
        right.record(1_000_000, times: 7)
        left.merge(right)
        #expect(left.count == 10)
        #expect(left.quantile(0.3) == 10)
        #expect(left.max == 1_000_000)
        #expect(left.quantile(0.5) > 990_000)
        left.merge(LatencyHistogram())
        #expect(left.count == 10)
    }
}
