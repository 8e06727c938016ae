/// Counters of a node, read from the text that `GET /node/metrics` gives (Prometheus exposition format 0.0.4).
public struct NodeCounters: Sendable, Equatable {
    /// Values by name with labels, as written.
    public private(set) var values: [String: Double] = [:]

    /// Reads the text; lines that are no samples are passed over.
    public init(_ text: String) {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                continue
            }
            values[String(line[..<space])] = value
        }
    }

    /// A counter without labels; 0 if the node has none.
    public subscript(name: String) -> Double { values[name] ?? 0 }

    /// Name of the counters of processor time by stage.
    public static let stageName = "entente_stage_cpu_nanoseconds_total"

    /// Processor time by stage in nanoseconds, as far as the node tells.
    public var stages: [String: Double] {
        var stages: [String: Double] = [:]
        for (name, value) in values where name.hasPrefix(Self.stageName + "{") {
            guard let label = Self.label("stage", in: name) else { continue }
            stages[label, default: 0] += value
        }
        return stages
    }

    private static func label(_ name: String, in sample: String) -> String? {
        guard let start = sample.firstIndex(of: "{") else { return nil }
        for part in sample[sample.index(after: start)...].split(whereSeparator: { $0 == "," || $0 == "}" }) {
            let pair = part.split(separator: "=", maxSplits: 1)
            if pair.count == 2, pair[0] == name { return String(pair[1].filter { $0 != "\"" }) }
        }
        return nil
    }
}
