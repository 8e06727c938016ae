import ArgumentParser
import Foundation
import Primitives

extension Network {
    /// `entente network show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The VN list of a running network: owners, platforms, code and state, and the weakest platform.")
        @OptionGroup var network: GovernanceOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let client = try network.client()
            defer { client.close() }
            let about = try await client.get("/node/network")
            let nodes = try await client.get("/node/network/nodes")["nodes"]?.array ?? []
            let constitution = try await client.get("/gov/service/constitution")
            let code = constitution["constitution"]?["code"]?.array ?? []
            func version(_ node: JSON) -> String {
                let entry = code.first { $0["measurement"]?.string == node["measurement"]?.string }
                return entry.map { "\($0["name"]?.string ?? "") \($0["version"]?.string ?? "")" } ?? "-"
            }
            if json {
                return ConstitutionCommand.printJSON([
                    "network": about, "nodes": .array(nodes), "digest": constitution["digest"] ?? .null,
                    "version": constitution["version"]?["version"] ?? .null,
                ])
            }
            print("Network \(about["name"]?.string ?? ""), id \(about["network_id"]?.string ?? "")")
            let number = constitution["version"]?["version"]?.integer ?? 0
            print(
                "Transactions: \(about["service_status"]?.string ?? ""). Constitution: version \(number), digest "
                    + (constitution["digest"]?.string ?? ""))
            print(
                "node          owner       address                  platform  code                     state     leads")
            for node in nodes {
                print(
                    Self.pad(String((node["node_id"]?.string ?? "").prefix(12)), 14)
                        + Self.pad(node["owner"]?.string ?? "", 12) + Self.pad(node["address"]?.string ?? "", 25)
                        + Self.pad(node["platform"]?.string ?? "-", 10) + Self.pad(version(node), 25)
                        + Self.pad(Self.state(node), 10) + (node["primary"]?.bool == true ? "yes" : ""))
            }
            if let weakest = about["weakest_platform"]?.string {
                let software =
                    weakest == "software" ? ": its nodes are protected from nobody who runs their machines" : ""
                print("The weakest platform that is welcome is \(weakest)\(software).")
            }
            let missing = nodes.filter { $0["status"]?.string != "Trusted" || $0["connected"]?.bool != true }
            if missing.isEmpty {
                print("All nodes take part. Next: entente governance list \(network.written)")
            } else {
                print("\(missing.count) of \(nodes.count) nodes take no part now. Next: look at their logs")
            }
        }

        private static func state(_ node: JSON) -> String {
            let status = node["status"]?.string ?? ""
            return node["connected"]?.bool == true ? status : status == "Pending" ? "Awaited" : "Away"
        }

        private static func pad(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(1, width - text.count))
        }
    }
}
