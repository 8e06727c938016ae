import AdapterKit
import Constitution
import Ledger
import Manager
import Primitives
import Store
import Testing

@Suite("Services outside")
struct OutsideTests {
    /// What the entries of a node say that services outside said: actor, request id, answers.
    private func recorded(
        _ cluster: ManagerCluster, _ node: Int
    ) throws -> [(actor: String, requestID: [UInt8]?, answers: [OutsideAnswer])] {
        let sealed = try SealedState(decoding: try #require(cluster.nodes[node].seal))
        let key = try #require(sealed.epochKeys.first)
        var found: [(String, [UInt8]?, [OutsideAnswer])] = []
        for bytes in cluster.nodes[node].entries {
            let entry = try LedgerEntry(bytes)
            guard let leadership = try Leadership(of: entry) else { continue }
            let cipher = try EntryCipher(
                session: SessionKey(epoch: key.epoch, bytes: key.key),
                networkID: Array(cluster.constitution.networkID.utf8), leadership: leadership)
            for compartment in try cipher.open(entry) {
                for write in try compartment.writes()["entente.answers"]?.writes ?? [] {
                    var reader = ByteReader(write.value)
                    #expect(try reader.integer(UInt8.self) == 1)
                    let actor = try reader.text()
                    let requestID = try reader.optionalBlob()
                    found.append((actor, requestID, try reader.values(limit: 16)))
                    try reader.finish()
                }
            }
        }
        return found
    }

    @Test("an answer goes with its submission, through any node, and stays in the entry", arguments: 0..<3)
    func answered(node: Int) throws {
        var cluster = try ManagerCluster.ready(3)
        cluster.outside = { request in .body(request.service.name == "rates" ? [7, 1] : [5]) }
        #expect(ask(&cluster, node, "?rates,weather", id: [4, 2]) == "sum 7,sum 12")
        #expect(cluster.asked.map(\.node) == [node, node])
        #expect(
            cluster.asked.map(\.request.service.url) == ["https://rates.example/now", "https://weather.example/now"])
        let keys = cluster.asked.compactMap(\.request.idempotencyKey)
        #expect(keys.map { $0.suffix(2) } == ["-0", "-1"] && Set(keys.map { $0.dropLast(2) }).count == 1)
        #expect(cluster.asked[0].request.body == [1, 2] + Array("?rates,weather".utf8))
        for each in 0..<3 {
            let agree = cluster.run { Set($0.nodes.map(\.entries.count)).count == 1 }
            #expect(agree)
            let records = try recorded(cluster, each)
            #expect(records.map(\.actor) == ["bank-0", "bank-0"])
            #expect(records.map(\.requestID) == [[4, 2, 0, 0, 0, 0], [4, 2, 0, 0, 0, 1]])
            #expect(records.map { $0.answers.map(\.call.service) } == [["rates"], ["weather"]])
            #expect(records.map { $0.answers.map(\.body) } == [[[7, 1]], [[5]]])
            #expect(records.allSatisfy { $0.answers.allSatisfy { $0.time > 1_800_000_000_000 } })
        }
    }

    @Test("what is repeated gets the first answer, whatever the service says now")
    func repeated() throws {
        var cluster = try ManagerCluster.ready(3)
        cluster.outside = { _ in .body([7]) }
        #expect(ask(&cluster, 1, "?rates", id: [1]) == "sum 7")
        cluster.outside = { _ in .body([9]) }
        #expect(ask(&cluster, 2, "?rates", id: [1]) == "sum 7")
        #expect(Set(cluster.asked.map(\.request.idempotencyKey)).count == 1)
        // The id of another actor is another one.
        _ = ask(&cluster, 2, "?rates", id: [1], actor: "bank-1")
        #expect(Set(cluster.asked.map(\.request.idempotencyKey)).count == 2)
        #expect(try recorded(cluster, 0).count == 2)
    }

    @Test("a failure, an unknown service and too large an answer are told to the adapter; nothing is ordered")
    func failures() throws {
        var cluster = try ManagerCluster.ready(1)
        cluster.outside = { _ in .failed("it answered with status 500") }
        let entries = cluster.nodes[0].entries.count
        #expect(ask(&cluster, 0, "?rates") == "it answered with status 500")
        #expect(ask(&cluster, 0, "?nobody") == "the constitution names no such service")
        cluster.outside = { _ in .body([UInt8](repeating: 1, count: AdapterLimits.outsideBodyBytesMax + 1)) }
        #expect(ask(&cluster, 0, "?weather") == "the answer is too large")
        #expect(cluster.asked.map(\.request.service.name) == ["rates", "weather"])
        #expect(cluster.nodes[0].entries.count == entries)
        #expect(ask(&cluster, 0, "\u{5}") == "sum 5")
        let logged = cluster.nodes[0].log.filter { $0.message == "a service outside gave no answer" }
        #expect(logged.map { $0.fields[0].value } == ["rates", "weather"])
    }

    @Test("who may not transact makes nobody ask outside")
    func strangers() throws {
        var cluster = try ManagerCluster.ready(1)
        cluster.outside = { _ in .body([7]) }
        #expect(ask(&cluster, 0, "?rates", actor: "nobody")?.contains("may not transact") == true)
        #expect(cluster.asked.isEmpty)
    }

    @Test("too many questions of one query are refused, and of all queries together")
    func limits() throws {
        var cluster = try ManagerCluster.ready(1)
        let many = "?" + Array(repeating: "rates", count: 17).joined(separator: ",")
        #expect(ask(&cluster, 0, many)?.contains("asks too much outside") == true)
        #expect(cluster.asked.isEmpty)
        let sixteen = "?" + Array(repeating: "rates", count: 16).joined(separator: ",")
        let tokens = (0..<17).map { _ in cluster.ask(0, Array(sixteen.utf8)) }
        let refused = cluster.run { $0.answer(0, tokens[16]) != nil }
        #expect(refused)
        #expect(cluster.answer(0, tokens[16])?.contains("TooManyPendingTransactions") == true)
        #expect(cluster.asked.count == 256)
        // Those that wait are answered, and then there is room again.
        for request in cluster.asked { cluster.inject(0, .heard(request.request.number, .body([1]))) }
        let done = cluster.run { cluster in tokens.allSatisfy { cluster.answer(0, $0) != nil } }
        #expect(done)
        cluster.outside = { _ in .body([2]) }
        #expect(ask(&cluster, 0, "?rates") == "sum 258")
    }

    @Test("a worker that dies, or a client whose time is up, leaves no question behind")
    func lost() throws {
        var cluster = try ManagerCluster.ready(1)
        let token = cluster.ask(0, Array("?rates".utf8))
        _ = cluster.run { !$0.asked.isEmpty }
        cluster.killWorker(0)
        _ = cluster.run { $0.answer(0, token) != nil }
        #expect(cluster.answer(0, token)?.contains("the worker is being restarted") == true)
        // The answer comes after all, twice: it is for nobody.
        cluster.inject(0, .heard(cluster.asked[0].request.number, .body([9])))
        cluster.inject(0, .heard(cluster.asked[0].request.number, .body([9])))
        #expect(ask(&cluster, 0, "\u{3}") == "sum 3")

        let slow = cluster.ask(0, Array("?rates".utf8))
        let ended = cluster.run(milliseconds: 70_000) { $0.answer(0, slow) != nil }
        #expect(ended)
        #expect(cluster.answer(0, slow)?.contains("no answer in time") == true)
        cluster.inject(0, .heard(cluster.asked[1].request.number, .body([9])))
        #expect(ask(&cluster, 0, "\u{4}") == "sum 7")
    }

    @Test("a worker can't make up an answer: it is ended, and nothing is ordered")
    func forged() throws {
        var cluster = try ManagerCluster.ready(1)
        cluster.outside = { _ in .body([7]) }
        cluster.tamper = { request, reply in
            guard case .called(_, let token, _) = request else { return reply }
            return .answer(.submit([SubmissionRequest(body: [9], answers: [1])], token: token))
        }
        let entries = cluster.nodes[0].entries.count
        #expect(ask(&cluster, 0, "?rates")?.contains("could not answer") == true)
        #expect(cluster.nodes[0].log.contains { $0.message == "the worker is gone and is being rebuilt" })
        #expect(cluster.nodes[0].entries.count == entries)
        // One that passes another body on is found out by whoever executes: here the adapter itself.
        cluster.tamper = { request, reply in
            guard case .called(_, let token, _) = request else { return reply }
            return .answer(.submit([SubmissionRequest(body: [9], answers: [0])], token: token))
        }
        #expect(ask(&cluster, 0, "?rates") == "invalid another answer")
    }
}
