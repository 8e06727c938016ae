import Attestation
import Constitution
import Identity
import Ledger
import Manager
import Primitives
import Testing

@Suite("Governance in running managers")
struct ManagerGovernanceTests {
    private static let start: UInt64 = 1_800_000_000

    private func sign(
        _ cluster: ManagerCluster, _ kind: GovernanceMessage.Kind, _ payload: String, _ id: String? = nil, by bank: Int,
        at seconds: UInt64 = start + 10
    ) throws -> [UInt8] {
        let actor = try #require(cluster.constitution.actor("bank-\(bank)"))
        return try GovernanceMessage.sign(
            kind, payload: Array(payload.utf8), proposalID: id, signedAt: seconds,
            certificate: X509Certificate(der: actor.certificates[0].der),
            key: SigningKey(rawRepresentation: [UInt8](repeating: UInt8(10 + bank), count: 32)))
    }

    private func post(_ cluster: inout ManagerCluster, _ node: Int, _ path: String, _ body: [UInt8]) -> RequestToken {
        cluster.ask(
            node, body, listener: .administration, path: "/gov/members/proposals\(path)",
            parameters: [("api-version", "2024-07-01")])
    }

    private func answer(
        _ cluster: inout ManagerCluster, _ node: Int, _ token: RequestToken
    ) throws -> (status: Int, json: JSON) {
        _ = cluster.run { $0.nodes[node].answers[token] != nil }
        let response = try #require(cluster.nodes[node].answers[token])
        return (response.status, try JSON(parsing: response.body))
    }

    private func propose(
        _ cluster: inout ManagerCluster, _ node: Int, _ actions: String, by bank: Int = 0
    ) throws -> (status: Int, json: JSON) {
        let message = try sign(cluster, .proposal, #"{"ballot":"for","actions":[\#(actions)]}"#, by: bank)
        let token = post(&cluster, node, ":create", message)
        return try answer(&cluster, node, token)
    }

    private func vote(
        _ cluster: inout ManagerCluster, _ node: Int, _ id: String, by bank: Int, _ vote: String = "for"
    ) throws -> (status: Int, json: JSON) {
        let message = try sign(cluster, .ballot, #"{"ballot":"\#(vote)"}"#, id, by: bank)
        let token = post(&cluster, node, "/\(id)/ballots/bank-\(bank):submit", message)
        return try answer(&cluster, node, token)
    }

    @Test("a proposal and its votes come by any node, and are answered once they are committed there")
    func votes() throws {
        var cluster = try ManagerCluster.ready(3)
        let made = try propose(
            &cluster, 1, #"{"name":"set_parameters","args":{"batch.transactionsMax":7}}"#)
        #expect(made.status == 200 && made.json["proposalState"]?.string == "Open")
        let id = try #require(made.json["proposalId"]?.string)
        let voted = try vote(&cluster, 2, id, by: 1)
        #expect(voted.status == 200 && voted.json["proposalState"]?.string == "Accepted")
        for node in 0..<3 {
            let token = cluster.ask(
                node, [], listener: .administration, method: "GET", path: "/gov/service/constitution",
                parameters: [("api-version", "2024-07-01")])
            let shown = try answer(&cluster, node, token).json
            #expect(shown["constitution"]?["parameters"]?["batch.transactionsMax"]?.integer == 7, "node \(node)")
            #expect(shown["version"]?["version"]?.integer == 1)
            #expect(shown["version"]?["votes"]?["bank-1"]?.string == "for")
        }
        #expect(ask(&cluster, 0, [3]) == "sum 3")
        let agree = cluster.run { cluster in Set(cluster.nodes.map(\.entries.count)).count == 1 }
        #expect(agree && cluster.nodes[0].entries == cluster.nodes[1].entries)
    }

    @Test("what is refused makes no entry")
    func refusals() throws {
        var cluster = try ManagerCluster.ready(3)
        let open = #"{"name":"set_open","args":{"open":false}}"#
        let made = try propose(&cluster, 0, open)
        let id = try #require(made.json["proposalId"]?.string)
        let settled = cluster.run { cluster in Set(cluster.nodes.map(\.entries.count)).count == 1 }
        #expect(settled)
        let count = cluster.nodes[0].entries.count
        let missing = String(repeating: "0", count: 64)
        let late = Self.start - 8 * 86_400
        let cases: [(String, [UInt8], Int, String)] = try [
            (":create", [1, 2, 3], 400, "InvalidInput"),
            (
                ":create", sign(cluster, .proposal, #"{"ballot":"for","actions":[\#(open)]}"#, by: 0), 400,
                "ProposalReplay"
            ),
            (":create", sign(cluster, .ballot, #"{"ballot":"for"}"#, id, by: 1), 400, "InvalidInput"),
            (
                ":create", sign(cluster, .proposal, #"{"actions":[{"name":"dance","args":{}}]}"#, by: 1), 400,
                "ProposalFailedToValidate"
            ),
            (
                ":create", sign(cluster, .proposal, #"{"actions":[\#(open)]}"#, by: 1, at: late), 400,
                "ProposalCreatedTooLongAgo"
            ),
            (
                "/\(missing)/ballots/bank-1:submit", sign(cluster, .ballot, #"{"ballot":"for"}"#, missing, by: 1), 404,
                "ProposalNotFound"
            ),
            (
                "/\(id)/ballots/bank-2:submit", sign(cluster, .ballot, #"{"ballot":"for"}"#, id, by: 1), 403,
                "AuthorizationFailed"
            ),
            (
                "/\(id)/ballots/bank-1:submit", sign(cluster, .ballot, #"{"ballot":"perhaps"}"#, id, by: 1), 400,
                "InvalidInput"
            ),
            ("/\(id):withdraw", sign(cluster, .withdrawal, "", id, by: 1), 403, "AuthorizationFailed"),
        ]
        for (path, body, status, code) in cases {
            for node in 0..<3 {
                let token = post(&cluster, node, path, body)
                let refused = try answer(&cluster, node, token)
                #expect(refused.status == status, "\(path) \(refused.json)")
                #expect(refused.json["error"]?["code"]?.string == code, "\(path) \(refused.json)")
            }
        }
        let token = cluster.ask(
            0, [], listener: .administration, method: "GET", path: "/gov/members/proposals", parameters: [])
        #expect(try answer(&cluster, 0, token).json["error"]?["code"]?.string == "MissingApiVersionParameter")
        #expect(cluster.nodes[0].entries.count == count)
    }

    @Test("a closed network takes no transactions, and goes on when it is opened")
    func closing() throws {
        var cluster = try ManagerCluster.ready(3)
        #expect(ask(&cluster, 1, [3]) == "sum 3")
        let closed = try propose(&cluster, 1, #"{"name":"set_open","args":{"open":false}}"#)
        let id = try #require(closed.json["proposalId"]?.string)
        #expect(try vote(&cluster, 1, id, by: 2).json["proposalState"]?.string == "Accepted")
        #expect(ask(&cluster, 1, [3])?.contains("closed to transactions") == true)
        #expect(ask(&cluster, 1, []) == ask(&cluster, 2, []))
        let opened = try propose(&cluster, 2, #"{"name":"set_open","args":{"open":true}}"#, by: 1)
        let second = try #require(opened.json["proposalId"]?.string)
        #expect(try vote(&cluster, 0, second, by: 2).json["proposalState"]?.string == "Accepted")
        #expect(ask(&cluster, 1, [4]) == "sum 7")
    }

    @Test("the leader dies with a message on its way: it is taken once, and its sender hears of it")
    func leaderDies() throws {
        var cluster = try ManagerCluster.ready(3)
        let leader = try #require(cluster.leader)
        let other = (leader + 1) % 3
        let open = #"{"name":"set_open","args":{"open":false}}"#
        let message = try sign(cluster, .proposal, #"{"actions":[\#(open)]}"#, by: 0)
        // The answer is lost with the leader, the entry is not.
        cluster.onMessage = { _, _, message in if case .governed = message { nil } else { message } }
        let token = post(&cluster, other, ":create", message)
        _ = cluster.run(milliseconds: 300) { _ in false }
        #expect(cluster.nodes[other].answers[token] == nil)
        cluster.kill(leader)
        cluster.onMessage = nil
        let made = try answer(&cluster, other, token)
        #expect(made.status == 200 && made.json["proposalState"]?.string == "Open")
        let list = cluster.ask(
            other, [], listener: .administration, method: "GET", path: "/gov/members/proposals",
            parameters: [("api-version", "2024-07-01")])
        #expect(try answer(&cluster, other, list).json["value"]?.array?.count == 1)
    }

    @Test("a node is removed by vote: consensus goes on without it, and it stops")
    func removal() throws {
        for victim in 0..<3 {
            var cluster = try ManagerCluster.ready(3)
            #expect(ask(&cluster, 0, [3]) == "sum 3")
            let actions = #"{"name":"remove_node","args":{"nodeID":"\#(cluster.id(victim))"}}"#
            let made = try propose(&cluster, (victim + 1) % 3, actions)
            let id = try #require(made.json["proposalId"]?.string)
            #expect(try vote(&cluster, (victim + 2) % 3, id, by: 1).json["proposalState"]?.string == "Accepted")
            let gone = cluster.run { cluster in
                if case .stopped = cluster.nodes[victim].manager.phase { cluster.leader != victim } else { false }
            }
            #expect(gone, "node \(victim)")
            let rest = (0..<3).filter { $0 != victim }
            let left = cluster.run { cluster in
                rest.allSatisfy { node in
                    !cluster.nodes[node].disconnected.isEmpty
                        || cluster.nodes[node].log.contains { $0.message == "a node that was removed is let go of" }
                }
            }
            #expect(left)
            // Two are left, so both must be there.
            #expect(ask(&cluster, rest[0], [4]) == "sum 7")
            cluster.kill(rest[1])
            try cluster.restart(rest[1])
            #expect(ask(&cluster, rest[0], [5]) == "sum 12")
        }
    }

    @Test("an actor is removed by vote: what it still has on its way is refused")
    func actorRemoval() throws {
        var cluster = try ManagerCluster.ready(3)
        let key =
            #"{"name":"remove_member","args":{"id":"bank-0"}},{"name":"remove_node","args":{"nodeID":"\#(cluster.id(0))"}}"#
        let made = try propose(&cluster, 1, key, by: 1)
        let id = try #require(made.json["proposalId"]?.string, "\(made.json)")
        #expect(ask(&cluster, 1, [3]) == "sum 3")
        #expect(try vote(&cluster, 2, id, by: 2).json["proposalState"]?.string == "Accepted")
        // The cluster's clients are bank-0.
        #expect(ask(&cluster, 1, [3])?.contains("may not transact") == true)
        #expect(cluster.nodes[1].sessionChecks == 1)
    }

    @Test("a proposal's deadline closes it by ledger time")
    func deadline() throws {
        var cluster = try ManagerCluster.ready(3)
        let policy =
            #"{"name":"set_voting_policy","args":{"action":"set_open","policy":{"rule":"unanimous","deadline":"2 seconds"}}}"#
        let made = try propose(&cluster, 0, policy)
        let id = try #require(made.json["proposalId"]?.string, "\(made.json)")
        #expect(try vote(&cluster, 0, id, by: 1).json["proposalState"]?.string == "Accepted")
        let next = try propose(&cluster, 1, #"{"name":"set_open","args":{"open":false}}"#)
        let open = try #require(next.json["proposalId"]?.string)
        _ = cluster.run(milliseconds: 3_000) { _ in false }
        let token = cluster.ask(
            2, [], listener: .administration, method: "GET", path: "/gov/members/proposals/\(open)",
            parameters: [("api-version", "2024-07-01")])
        #expect(try answer(&cluster, 2, token).json["proposalState"]?.string == "Expired")
    }
}
