import Constitution
import Testing

@Suite("Settings handed to a manager")
struct NodeSettingsTests {
    private var sample: NodeSettings {
        var limits = ListenerLimits.standard(for: .application)
        limits.bodyBytesMax = 12_345
        return NodeSettings(
            task: .initialise, name: "n1", application: .init(publicAddress: "a:1", limits: limits),
            administration: .init(publicAddress: "a:2", limits: .standard(for: .administration)),
            node: .init(publicAddress: "a:3", limits: .standard(for: .node)), peers: ["b:3"], foundsNetwork: true,
            genesis: [1, 2, 3], networkID: String(repeating: "0a", count: 32), logLevel: .debug, logFormat: .json,
            workerThreads: 3, requestsWaitingMax: 4, requestTimeoutMilliseconds: 5)
    }

    @Test("come back as they were")
    func roundTrip() throws {
        #expect(try NodeSettings(decoding: sample.encoded) == sample)
    }

    @Test("are refused when cut, extended or of another version, and never trap")
    func damage() throws {
        let bytes = sample.encoded
        for count in bytes.indices {
            #expect(throws: ConstitutionError.malformed("settings", "")) {
                try NodeSettings(decoding: Array(bytes.prefix(count)))
            }
        }
        #expect(throws: ConstitutionError.malformed("settings", "")) { try NodeSettings(decoding: bytes + [0]) }
        #expect(throws: ConstitutionError.malformed("settings", "")) {
            try NodeSettings(decoding: [2] + bytes.dropFirst())
        }
        var random = Random(state: 3)
        for _ in 0..<5_000 {
            var other = bytes
            for _ in 0...random.below(3) { other[random.below(other.count)] = UInt8(random.below(256)) }
            if let settings = try? NodeSettings(decoding: other) { #expect(settings.encoded == other) }
        }
    }

    @Test("limits have defaults within their bounds")
    func limits() {
        for door in ListenerDoor.allCases {
            for row in ListenerLimits.table {
                #expect(row.range.contains(ListenerLimits.standard(for: door)[keyPath: row.path]), "\(row.name)")
            }
        }
        #expect(Set(ListenerLimits.table.map(\.name)).count == ListenerLimits.table.count)
    }
}
