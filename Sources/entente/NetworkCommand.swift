import ArgumentParser
import Foundation
import Primitives

/// `entente network`.
struct Network: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at a running network, or plan one.", subcommands: [Status.self, Show.self, Plan.self])

    /// `entente network status`.
    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "State of each node of a network started by `entente up`.",
            discussion: "Exit code 0 when all nodes answer and agree on a primary, 1 when not.")
        @Option(help: "The network's data folder.")
        var data = ".entente"
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let folder = absolute(data)
            let nodes = try DevelopmentFounding.existing(folder)
            let client = try NodeClient(
                certificate: readFile(folder + "/actors/alpha.pem"), key: readFile(folder + "/actors/alpha.key"),
                networkCertificate: readFile(folder + "/network.pem"),
                nodeCertificates: nodes.compactMap { try? readText($0.dataFolder + "/node.pem") })
            defer { client.close() }
            var rows: [JSON] = []
            var primaries: Set<String> = []
            for node in nodes {
                var row = JSONObject()
                row.append("name", .string(node.name))
                if let state = try? await client.get("/node/state", of: node.administration) {
                    row.append("nodeID", state["node_id"] ?? .null)
                    row.append("state", state["state"] ?? .null)
                    row.append("worker", state["worker"] ?? .null)
                    row.append("view", state["view"] ?? .null)
                    row.append("commit", state["commit_seqno"] ?? .null)
                    row.append("last", state["last_seqno"] ?? .null)
                    row.append("primary", state["primary_id"] ?? .null)
                    row.append("storage", state["storage"] ?? .null)
                    if let reason = state["reason"] { row.append("reason", reason) }
                    if let reason = state["storage_reason"]?.string {
                        row.append("storage_reason", .string(reason))
                    }
                    primaries.insert(state["primary_id"]?.string ?? "")
                } else {
                    row.append("state", "unreachable")
                    primaries.insert("")
                }
                rows.append(.object(row))
            }
            if json {
                let all: JSON = ["nodes": .array(rows)]
                print(String(decoding: all.serialized(), as: UTF8.self))
            } else {
                print("node     state        worker   view  commit    leads")
                for row in rows {
                    let leads = row["nodeID"] != nil && row["nodeID"] == row["primary"] ? "yes" : ""
                    print(
                        Self.pad(row["name"], 9) + Self.pad(row["state"], 13) + Self.pad(row["worker"], 9)
                            + Self.pad(row["view"], 6) + Self.pad(row["commit"], 10) + leads)
                    if let reason = row["reason"]?.string { print("         \(reason)") }
                    if let reason = row["storage_reason"]?.string {
                        print("         its disk takes no writes: \(reason)")
                    }
                }
            }
            if primaries.count != 1 || primaries.contains("") { throw ExitCode(1) }
        }

        private static func pad(_ value: JSON?, _ width: Int) -> String {
            let text = value?.string ?? value?.integer.map(String.init) ?? "-"
            return text + String(repeating: " ", count: max(1, width - text.count))
        }
    }
}
