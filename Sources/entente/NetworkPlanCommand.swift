import ArgumentParser
import Consensus
import Primitives
import Simulator

extension Network {
    /// `entente network plan`.
    struct Plan: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say how long a commit takes by where nodes are, who leads and how many must have an entry.",
            discussion: """
                Real consensus cores over a simulated network, one write at a time: the leader's time from a write to its \
                commit, a sync of each disk included. A client elsewhere adds its round trip to the leader. Every safe number \
                of nodes that must have an entry (consensus.replicationQuorum) is tried; the number that must agree to a \
                leader follows from it.
                """)
        @Option(
            name: .customLong("place"),
            help:
                "Nodes at a place, NAME=COUNT; several times. Known without --rtt: \(RoundTrips.typical.places.joined(separator: ", "))."
        )
        var counts: [String] = ["frankfurt=3", "london=3", "newyork=3"]
        @Option(name: .customLong("rtt"), help: "A round trip in milliseconds, NAME,NAME=MS; several times.")
        var times: [String] = []
        @Option(help: "Milliseconds of a disk's sync.")
        var sync = 1.0
        @Option(help: "Writes to measure for each figure.")
        var writes = 40
        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let (places, roundTrips) = (try readPlaces(), try readTimes())
            for one in places {
                for other in places where !roundTrips.knows(one, other) {
                    throw UserError("no round trip between \(one) and \(other) is known; give --rtt \(one),\(other)=MS")
                }
            }
            guard (0...1_000).contains(sync), (1...10_000).contains(writes) else {
                throw UserError("--sync is 0 to 1000 ms, --writes 1 to 10000")
            }
            let majority = places.count / 2 + 1
            var rows: [(quorum: QuorumSizes, times: [(place: String, milliseconds: Double)])] = []
            for replication in 1...majority {
                guard let sizes = QuorumSizes(.replication(replication), voters: places.count) else { continue }
                let study = PlacementStudy(
                    places: places, policy: .replication(replication), roundTrips: roundTrips,
                    sync: Microseconds((sync * 1_000).rounded()))
                var row: [(String, Double)] = []
                for place in Self.unique(places) {
                    let all = try study.commitTimes(leaderAt: place, writes: writes).sorted()
                    row.append((place, Double(all[all.count / 2]) / 1_000))
                }
                rows.append((sizes, row))
            }
            if json { printJSON(places, rows) } else { printTable(places, rows, majority) }
        }

        private func readPlaces() throws -> [String] {
            var places: [String] = []
            for text in counts {
                let parts = text.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, !parts[0].contains(","), let count = Int(parts[1]), (1...64).contains(count)
                else {
                    throw UserError("--place \(text): it is NAME=COUNT, up to 64")
                }
                places += Array(repeating: String(parts[0]), count: count)
            }
            guard places.count <= 64 else { throw UserError("more than 64 nodes") }
            return places
        }

        private func readTimes() throws -> RoundTrips {
            var table = RoundTrips.typical
            for text in times {
                let parts = text.split(separator: "=", maxSplits: 1)
                let names = parts.first?.split(separator: ",") ?? []
                guard parts.count == 2, names.count == 2, names[0] != names[1], let time = Double(parts[1]),
                    (0...10_000).contains(time)
                else { throw UserError("--rtt \(text): it is NAME,NAME=MS") }
                table[String(names[0]), String(names[1])] = Microseconds((time * 1_000).rounded())
            }
            return table
        }

        private static func unique(_ places: [String]) -> [String] {
            var seen: Set<String> = []
            return places.filter { seen.insert($0).inserted }
        }

        private func printTable(
            _ places: [String], _ rows: [(quorum: QuorumSizes, times: [(place: String, milliseconds: Double)])],
            _ majority: Int
        ) {
            func pad(_ text: String, _ width: Int) -> String {
                String(repeating: " ", count: max(0, width - text.count)) + text
            }
            print(
                "\(places.count) nodes; milliseconds from a write to its commit, half of the writes, by the leader's place"
            )
            print("  have it  elect" + (rows.first?.times.map { pad($0.place, 12) }.joined() ?? ""))
            for row in rows {
                let mark = row.quorum.replication == majority ? "  majorities, the default" : ""
                print(
                    pad("\(row.quorum.replication)", 9) + pad("\(row.quorum.election)", 7)
                        + row.times.map { pad(Self.tenths($0.milliseconds), 12) }.joined() + mark)
            }
            print("With fewer that must have an entry, more must be there to elect a new leader after one is gone.")
        }

        private static func tenths(_ value: Double) -> String { String(describing: (value * 10).rounded() / 10) }

        private func printJSON(
            _ places: [String], _ rows: [(quorum: QuorumSizes, times: [(place: String, milliseconds: Double)])]
        ) {
            let all: JSON = [
                "places": .array(places.map { .string($0) }),
                "rows": .array(
                    rows.map { row in
                        [
                            "replicationQuorum": .integer(Int64(row.quorum.replication)),
                            "electionQuorum": .integer(Int64(row.quorum.election)),
                            "milliseconds": .object(
                                JSONObject(row.times.map { .init(name: $0.place, value: .double($0.milliseconds)) })),
                        ]
                    }),
            ]
            print(String(decoding: all.serialized(), as: UTF8.self))
        }
    }
}
