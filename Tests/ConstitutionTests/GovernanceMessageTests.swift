import Attestation
import Constitution
import Foundation
import Identity
import Primitives
import Store
import Testing

@Suite("Governance messages")
struct GovernanceMessageTests {
    private var payload: [UInt8] { Array(#"{"actions":[{"name":"set_open","args":{"open":false}}]}"#.utf8) }
    private var ballot: [UInt8] { Array(#"{"ballot":"for"}"#.utf8) }

    private func bank(_ index: Int, in network: TestNetwork) throws -> X509Certificate {
        try X509Certificate(der: #require(network.constitution.actor(Sample.bank(index))).certificates[0].der)
    }

    /// A message with headers at will.
    private func message(
        _ headers: [(CBOR, CBOR)], payload: [UInt8], key: SigningKey, isDetached: Bool = false,
        unprotected: [CBOR.Pair] = []
    ) throws -> [UInt8] {
        try CoseSign1.sign(
            payload: payload, headers: headers.map { CBOR.Pair($0.0, $0.1) }, unprotected: unprotected,
            isDetached: isDetached, key: key
        ).encoded()
    }

    private func headers(
        _ network: TestNetwork, type: CBOR = .text("proposal"), at: CBOR? = nil, id: CBOR? = nil, kid: CBOR? = nil
    ) throws -> [(CBOR, CBOR)] {
        let certificate = try bank(0, in: network)
        let sample = try GovernanceMessage.sign(
            .proposal, payload: [], signedAt: 1, certificate: certificate, key: Sample.ownerKey(0))
        let keyID = try #require(CoseSign1(sample).keyID)
        return [
            (.integer(4), kid ?? .bytes(keyID)), (.text("ccf.gov.msg.type"), type),
            (.text("ccf.gov.msg.created_at"), at ?? .unsigned(network.time / 1000)),
        ] + (id.map { [(CBOR.text("ccf.gov.msg.proposal_id"), $0)] } ?? [])
    }

    private func expect(
        _ code: GovernanceError.Code, _ network: TestNetwork, _ bytes: [UInt8], session: [[UInt8]] = [],
        route: Governance.Route = .init(), sourceLocation: SourceLocation = #_sourceLocation
    ) {
        var network = network
        let before = network.governance.proposals
        #expect(throws: GovernanceError(code), sourceLocation: sourceLocation) {
            try network.take(bytes, session: session, route: route)
        }
        #expect(network.governance.proposals == before, sourceLocation: sourceLocation)
        #expect(
            network.seqno == 1 || network.governance.proposals.count == before.count, sourceLocation: sourceLocation)
    }

    @Test("wrong type, wrong header, wrong payload")
    func malformed() throws {
        let network = try TestNetwork()
        let key = try Sample.ownerKey(0)
        func bytes(_ headers: [(CBOR, CBOR)], _ payload: [UInt8]? = nil) throws -> [UInt8] {
            try message(headers, payload: payload ?? self.payload, key: key)
        }
        expect(.malformed, network, [])
        expect(.malformed, network, Array("{}".utf8))
        expect(.tooLarge, network, [UInt8](repeating: 0, count: GovernanceMessage.byteCountMax + 1))
        for type in ["ack", "state_digest", "recovery_share", "encrypted_recovery_share", "", "Proposal"] {
            expect(.malformed, network, try bytes(headers(network, type: .text(type))))
        }
        expect(.malformed, network, try bytes(headers(network, type: .bytes(Array("proposal".utf8)))))
        expect(.malformed, network, try bytes(Array(headers(network).prefix(1))))
        expect(.invalidTime, network, try bytes(Array(headers(network).prefix(2))))
        for at in [CBOR.text("now"), .integer(-5), .unsigned(.max), .unsigned(10_000_000_000)] {
            expect(.invalidTime, network, try bytes(headers(network, at: at)))
        }
        for kid in [CBOR.bytes([1, 2]), .text("a"), .bytes(Array(repeating: 0x41, count: 64))] {
            expect(.malformed, network, try bytes(headers(network, kid: kid)))
        }
        expect(.malformed, network, try bytes(headers(network, id: .text(String(repeating: "0", count: 64)))))
        expect(.malformed, network, try bytes(headers(network, type: .text("ballot")), ballot))
        expect(.malformed, network, try bytes(headers(network, type: .text("ballot"), id: .text("0")), ballot))
        expect(.malformed, network, try bytes(headers(network) + [(.integer(2), .array([.integer(99)]))]))
        expect(.malformed, network, try bytes(headers(network) + [(.integer(33), .text("chain"))]))
        expect(.malformed, network, try message(headers(network), payload: payload, key: key, isDetached: true))
        let id = CBOR.text(String(repeating: "0", count: 64))
        for text in ["", "{}", "[]", #"{"ballot":"FOR"}"#, #"{"ballot":true}"#, #"{"ballot":"for","x":1}"#] {
            expect(.malformed, network, try bytes(headers(network, type: .text("ballot"), id: id), Array(text.utf8)))
        }
        expect(
            .tooLarge, network,
            try bytes(headers(network, type: .text("withdrawal"), id: id), [UInt8](repeating: 32, count: 5000)))
        expect(.notFound, network, try bytes(headers(network, type: .text("ballot"), id: id), ballot))
        expect(.notFound, network, try bytes(headers(network, type: .text("withdrawal"), id: id), []))
        for text in [
            "", "{}", "[]", #"{"actions":[]}"#, #"{"actions":[{}]}"#, #"{"actions":[{"name":"set_mood","args":{}}]}"#,
            #"{"actions":[{"name":"set_open"}]}"#, #"{"actions":[{"name":"set_open","args":{"open":1}}]}"#,
            #"{"actions":[{"name":"set_open","args":{"open":false,"now":true}}]}"#,
            #"{"actions":[{"name":"set_open","args":{"open":false}}],"network":"0"}"#,
            #"{"actions":[{"name":"set_open","args":{"open":false}}],"ballot":"yes"}"#,
            #"{"actions":[{"name":"set_open","args":{"open":false}}],"actions":[]}"#,
        ] {
            expect(.invalidProposal, network, try bytes(headers(network), Array(text.utf8)))
        }
        let many = Array(repeating: #"{"name":"set_open","args":{"open":false}}"#, count: 65).joined(separator: ",")
        expect(.invalidProposal, network, try bytes(headers(network), Array(#"{"actions":[\#(many)]}"#.utf8)))
    }

    @Test("truncated or altered at every byte")
    func altered() throws {
        var network = try TestNetwork()
        let good = try network.sign(.proposal, payload, by: 0)
        for count in 0..<good.count { expect(.malformed, network, Array(good.prefix(count))) }
        for index in good.indices {
            var bytes = good
            bytes[index] ^= 1
            #expect(throws: GovernanceError.self, "byte \(index)") { try network.take(bytes) }
        }
        #expect(network.governance.proposals.isEmpty)
        #expect(try network.take(good)?.state == .open)
    }

    @Test("forged, by strangers, by a participant, under another's name")
    func strangers() throws {
        var network = try TestNetwork()
        let made = try network.propose([.setOpen(false)])
        let listed = try bank(0, in: network)
        let other = try certificate("bank-a", key: key(70))
        let forged = try GovernanceMessage.sign(
            .proposal, payload: payload, signedAt: network.time / 1000, certificate: listed, key: key(70))
        expect(.notAuthenticated, network, forged)
        let stranger = try GovernanceMessage.sign(
            .proposal, payload: payload, signedAt: network.time / 1000, certificate: other, key: key(70))
        expect(.notAuthenticated, network, stranger)
        expect(.notAuthenticated, network, stranger, session: [other.der])
        // A participant's organisation: its certificate comes with the session. It may not vote.
        let employee = try X509Certificate.issue(
            request("employee", .actor), for: key(60).publicKey, issuer: Sample.supplierAuthority(),
            issuerKey: Sample.supplierKey())
        let participant = try GovernanceMessage.sign(
            .ballot, payload: ballot, proposalID: made.id, signedAt: network.time / 1000, certificate: employee,
            key: key(60))
        expect(.notAuthenticated, network, participant)
        expect(.notAuthorised, network, participant, session: [employee.der])
        // The path names another actor, another proposal, another kind.
        let vote = try network.sign(.ballot, ballot, made.id, by: 0)
        expect(.notAuthorised, network, vote, route: .init(actor: "bank-b"))
        expect(.malformed, network, vote, route: .init(proposalID: String(repeating: "1", count: 64)))
        expect(.malformed, network, vote, route: .init(kind: .withdrawal))
        #expect(try network.take(vote, route: .init(kind: .ballot, proposalID: made.id, actor: "bank-a")) != nil)
        // ES256 said, but another algorithm meant.
        let p384 = try CoseSign1.sign(
            payload: payload, headers: headers(network).map { CBOR.Pair($0.0, $0.1) }, key: Sample.ownerKey(0))
        let wrong = CBOR.map(
            [.init(.integer(1), .integer(-35))] + (try headers(network).map { CBOR.Pair($0.0, $0.1) }))
        expect(
            .notAuthenticated, network,
            CBOR.tagged(
                18, .array([.bytes(wrong.encoded()), .map([]), .bytes(payload), .bytes(p384.signature)])
            ).encoded())
    }

    @Test("an organisation's certificate in the message's own header")
    func chainInHeader() throws {
        var network = try TestNetwork { document in
            document.actors[0].certificates = [
                .init(
                    kind: .organisation, der: try certificate("bank-a", .authority(pathLength: 1), key: key(45)).der)
            ]
            document.nodes[0] = try document.nodes[0].tuple.signed(by: key(45))
        }
        let authority = try X509Certificate(der: network.constitution.members[0].certificates[0].der)
        let officer = try X509Certificate.issue(
            request("officer", .actor), for: key(61).publicKey, issuer: authority, issuerKey: key(45))
        let plain = try GovernanceMessage.sign(
            .proposal, payload: payload, signedAt: network.time / 1000, certificate: officer, key: key(61))
        expect(.notAuthenticated, network, plain)
        let keyID = try #require(CoseSign1(plain).keyID)
        let headers: [(CBOR, CBOR)] = [
            (.integer(4), .bytes(keyID)), (.text("ccf.gov.msg.type"), .text("proposal")),
            (.text("ccf.gov.msg.created_at"), .unsigned(network.time / 1000)),
        ]
        let chained = try message(
            headers, payload: payload, key: key(61),
            unprotected: [.init(.integer(33), .array([.bytes(officer.der), .bytes(authority.der)]))])
        #expect(try network.take(chained)?.proposer == "bank-a")
        // The ledger keeps the certificate with the message.
        let kept = try #require(network.store.latest.get(GovernanceMaps.history, Array("bank-a".utf8)))
        #expect(try RecordedMessage(record: kept).chain == [officer.der, authority.der])
        // Expired for the ledger's time.
        var later = network
        later.time += 2 * year
        expect(.notAuthenticated, later, chained)
    }

    @Test("replayed, re-signed with the same content, late, early, after another network")
    func replay() throws {
        var network = try TestNetwork()
        let one = try network.sign(.proposal, payload, by: 0)
        let made = try #require(try network.take(one))
        expect(.replay, network, one)
        // The signature is not part of what is signed: an outsider can write the same one in another way, and add to the
        // unprotected header.
        let parsed = try CoseSign1(one)
        var tampered = parsed
        tampered.unprotected = .map([.init(.text("x"), .integer(1))])
        expect(.replay, network, tampered.encoded())
        try network.take(try network.sign(.withdrawal, [], made.id, by: 0))
        expect(.replay, network, one)
        // Votes: an earlier one does not undo a later one.
        let open = try network.propose([.setOpen(false)])
        let seconds = network.time / 1000
        let yes = try network.sign(.ballot, ballot, open.id, by: 0, at: seconds)
        let no = try network.sign(.ballot, Array(#"{"ballot":"against"}"#.utf8), open.id, by: 0, at: seconds + 1)
        try network.take(yes)
        try network.take(no)
        expect(.voteSuperseded, network, yes)
        expect(.voteSuperseded, network, no)
        #expect(network.governance.record(of: open.id)?.vote(of: "bank-a") == .no)
        // Time.
        let week = GovernanceLimits.messageAgeMilliseconds / 1000
        expect(.tooOld, network, try network.sign(.proposal, payload, by: 1, at: network.time / 1000 - week - 5))
        expect(.tooOld, network, try network.sign(.ballot, ballot, open.id, by: 1, at: network.time / 1000 - week - 5))
        expect(.invalidTime, network, try network.sign(.proposal, payload, by: 1, at: network.time / 1000 + 400))
        // Once it is forgotten it is too old.
        network.time += GovernanceLimits.messageAgeMilliseconds + 1000
        try network.propose([.setOpen(false)], by: 1)
        expect(.tooOld, network, one)
        // A proposal that names its network works in no other.
        var other = try TestNetwork { $0.name = "others" }
        let bound = Proposal(actions: [.setOpen(false)], network: network.constitution.networkID)
        expect(.invalidProposal, other, try other.sign(.proposal, bound.json.serialized(), by: 0))
        // The same message has another id in another ledger.
        #expect(try other.take(other.sign(.proposal, payload, by: 0))?.id != made.id)
    }

    @Test("the number of open and recent proposals is bounded")
    func bounds() throws {
        var network = try TestNetwork()
        var ids: [String] = []
        for _ in 0..<GovernanceLimits.openMax { ids.append(try network.propose([.setOpen(false)]).id) }
        #expect(throws: GovernanceError(.tooMany)) { try network.propose([.setOpen(false)]) }
        #expect(throws: Never.self) { try network.propose([.setOpen(false)], by: 1) }
        for _ in GovernanceLimits.openMax..<GovernanceLimits.recentMax {
            try network.take(try network.sign(.withdrawal, [], ids.removeFirst(), by: 0))
            ids.append(try network.propose([.setOpen(false)]).id)
        }
        try network.take(try network.sign(.withdrawal, [], ids.removeFirst(), by: 0))
        #expect(throws: GovernanceError(.tooMany)) { try network.propose([.setOpen(false)]) }
        try network.check()
    }
}
