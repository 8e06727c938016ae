/// Byte strings by byte strings, found by hash and walked in order of key.
///
/// The sorted keys are kept in runs of bounded length, so that an insertion moves few of them however large the map is.
struct OrderedMap: Sendable {
    private static let runMax = 512

    private var values: [[UInt8]: [UInt8]] = [:]
    /// Sorted runs of keys, none empty; all keys of a run precede those of the next.
    private var runs: [[[UInt8]]] = []

    var count: Int { values.count }

    subscript(key: [UInt8]) -> [UInt8]? { values[key] }

    /// Writes, or with nil removes.
    /// - Returns: what was there before.
    mutating func set(_ value: [UInt8]?, at key: [UInt8]) -> [UInt8]? {
        guard let value else {
            guard let old = values.removeValue(forKey: key) else { return nil }
            remove(key)
            return old
        }
        let old = values.updateValue(value, forKey: key)
        if old == nil { insert(key) }
        return old
    }

    func scan(from start: [UInt8], to end: [UInt8]?, limit: Int) -> [(key: [UInt8], value: [UInt8])] {
        var found: [(key: [UInt8], value: [UInt8])] = []
        var run = self.run(of: start)
        while run < runs.count {
            for index in Self.lowerBound(runs[run], start)..<runs[run].count {
                let key = runs[run][index]
                if let end, !ByteOrder.precedes(key, end) { return found }
                guard found.count < limit, let value = values[key] else { return found }
                found.append((key, value))
            }
            run += 1
        }
        return found
    }

    private mutating func insert(_ key: [UInt8]) {
        guard !runs.isEmpty else {
            runs = [[key]]
            return
        }
        let run = min(self.run(of: key), runs.count - 1)
        runs[run].insert(key, at: Self.lowerBound(runs[run], key))
        guard runs[run].count > Self.runMax else { return }
        // A run that grows at its end, as keys by seqno do, is left full; any other is halved.
        let isAtEnd = run == runs.count - 1 && runs[run].last == key
        let keep = isAtEnd ? Self.runMax : Self.runMax / 2
        let tail = Array(runs[run][keep...])
        runs[run].removeSubrange(keep...)
        runs.insert(tail, at: run + 1)
    }

    private mutating func remove(_ key: [UInt8]) {
        let run = self.run(of: key)
        guard run < runs.count else { return }
        let index = Self.lowerBound(runs[run], key)
        guard index < runs[run].count, runs[run][index] == key else { return }
        runs[run].remove(at: index)
        if runs[run].isEmpty { runs.remove(at: run) }
    }

    /// The first run whose last key is not before `key`; the number of runs if there is none.
    private func run(of key: [UInt8]) -> Int {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if let last = runs[middle].last, ByteOrder.precedes(last, key) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func lowerBound(_ keys: [[UInt8]], _ key: [UInt8]) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if ByteOrder.precedes(keys[middle], key) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
