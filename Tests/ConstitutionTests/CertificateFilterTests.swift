import Constitution
import Identity
import Primitives
import Testing

/// An authority and two certificates that it issued, made with OpenSSL 3: Ada of OU Settlement, ada@trading.bank.example and
/// ada.bank.example; Bob of OU Lending, bob@lending.bank.example. Valid for a hundred years.
private enum Bank {
    static let authority = Base64.decode(
        "MIIBxTCCAWygAwIBAgIUD1Kcxy6OFfUhlTCMH2Ei4KO+CpcwCgYIKoZIzj0EAwIwLjELMAkGA1UEBhMCREUxDTALBgNVBAoMBEJhbmsxEDAO"
            + "BgNVBAMMB0JhbmsgQ0EwIBcNMjYxMTI0MTUyNTU2WhgPMjEyNjEwMzExNTI1NTZaMC4xCzAJBgNVBAYTAkRFMQ0wCwYDVQQKDARCYW5rMRAw"
            + "DgYDVQQDDAdCYW5rIENBMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDu0g53DVdmYYExzIDrZolju2sSO6DAYU0/6C+a0jcnBzysUHINs0"
            + "pGjDZTgYV05RImaJnfRiOuqN64c22+mf3qNmMGQwHQYDVR0OBBYEFApK314B/oQSgwrd0GMVNlWfoYPHMB8GA1UdIwQYMBaAFApK314B/oQS"
            + "gwrd0GMVNlWfoYPHMBIGA1UdEwEB/wQIMAYBAf8CAQEwDgYDVR0PAQH/BAQDAgEGMAoGCCqGSM49BAMCA0cAMEQCIFF9+actXYJEMSuMq+0K"
            + "feLXTsuEybhwSZHWxKEtlMhGAiB7sxOPVT16+ToQl8CNemg3BizDKZJwFG9lxC1sue6duw==")
    static let ada = Base64.decode(
        "MIICHjCCAcWgAwIBAgIUdlxkntNPDft6FcM+wI9OrOLyILIwCgYIKoZIzj0EAwIwLjELMAkGA1UEBhMCREUxDTALBgNVBAoMBEJhbmsxEDAO"
            + "BgNVBAMMB0JhbmsgQ0EwIBcNMjYxMTI0MTUyNTU2WhgPMjEyNjEwMzExNTI1NTZaMD8xCzAJBgNVBAYTAkRFMQ0wCwYDVQQKDARCYW5rMRMw"
            + "EQYDVQQLDApTZXR0bGVtZW50MQwwCgYDVQQDDANBZGEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATfwfO1Ka/7LJRSjjRghIagKyWQolJs"
            + "nfHY4G81A2IhAzgrVpK1mGMEPuIdi3PJrb8N6lJy6F8YEDJChBCHu6Lho4GtMIGqMAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/BAQDAgeAMBMG"
            + "A1UdJQQMMAoGCCsGAQUFBwMCMDUGA1UdEQQuMCyBGGFkYUB0cmFkaW5nLmJhbmsuZXhhbXBsZYIQYWRhLmJhbmsuZXhhbXBsZTAdBgNVHQ4E"
            + "FgQUVoxDBZs8icJENmLeXGtvBVeBW6wwHwYDVR0jBBgwFoAUCkrfXgH+hBKDCt3QYxU2VZ+hg8cwCgYIKoZIzj0EAwIDRwAwRAIgAhWIF45y"
            + "saq2KkQGB7XuWxhPo9bzv672lFJ6NeutKtICIE+r0vpdxz8Jxgzw51Ln0GdusecQiECacvxF2tmLeJmK")
    static let bob = Base64.decode(
        "MIICCzCCAbCgAwIBAgIUdlxkntNPDft6FcM+wI9OrOLyILMwCgYIKoZIzj0EAwIwLjELMAkGA1UEBhMCREUxDTALBgNVBAoMBEJhbmsxEDAO"
            + "BgNVBAMMB0JhbmsgQ0EwIBcNMjYxMTI0MTUyNTU2WhgPMjEyNjEwMzExNTI1NTZaMDwxCzAJBgNVBAYTAkRFMQ0wCwYDVQQKDARCYW5rMRAw"
            + "DgYDVQQLDAdMZW5kaW5nMQwwCgYDVQQDDANCb2IwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATTDzGVMw7Lbm776L2XtFthYMXQLztOZtl+"
            + "B/x2li5mhqUEhITeDWRLEvIWPNVASPreSB5ZhoWbRnrow555+K9Vo4GbMIGYMAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/BAQDAgeAMBMGA1Ud"
            + "JQQMMAoGCCsGAQUFBwMCMCMGA1UdEQQcMBqBGGJvYkBsZW5kaW5nLmJhbmsuZXhhbXBsZTAdBgNVHQ4EFgQUCcWC3bQs0WtsHSVnjG9fdq2c"
            + "bPAwHwYDVR0jBBgwFoAUCkrfXgH+hBKDCt3QYxU2VZ+hg8cwCgYIKoZIzj0EAwIDSQAwRgIhAL1tTC8EcViI1z3jjFre714E9CJwOYTWoWiV"
            + "+zfz1PpUAiEAisPj0Z2F8Q1l8CRsb/socTnxPJhI/tcAG9+MINxs9MA=")
}

@Suite("Departments and groups of an organisation")
struct CertificateFilterTests {
    private func constitution(_ department: String?, groups: String? = nil) throws -> Constitution {
        var document = try Sample.document()
        var actor = Actor(
            id: "bank", role: .participant,
            certificates: [.init(kind: .organisation, der: try #require(Bank.authority))])
        try actor.readGroups(
            department: department.map { try JSON(parsing: Array($0.utf8)) },
            groups: groups.map { try JSON(parsing: Array($0.utf8)) }, path: "p")
        document.actors.append(actor)
        let constitution = try Constitution(genesis: document)
        // It comes back from the ledger as it was.
        #expect(try Constitution(reading: constitution.writeSet()) == constitution)
        #expect(try Constitution(genesis: constitution.genesisFile).actor("bank") == actor)
        return constitution
    }

    @Test(
        "a department is chosen by subject or alternative name",
        arguments: [
            (#"{"subject":{"OU":"Settlement"}}"#, true), (#"{"subject":{"OU":"Settlement","C":"DE"}}"#, true),
            (#"{"subject":{"OU":"Settlement","C":"FR"}}"#, false), (#"{"subject":{"OU":"settlement"}}"#, false),
            (#"{"subject":{"CN":"Ada","O":"Bank"}}"#, true), (#"{"subject":{"L":"Berlin"}}"#, false),
            (#"{"names":["email:ada@trading.bank.example"]}"#, true),
            (#"{"names":["email:*@trading.bank.example"]}"#, true),
            (#"{"names":["email:ada@*"]}"#, true), (#"{"names":["dns:*.bank.example"]}"#, true),
            (#"{"names":["dns:*.ada.bank.example"]}"#, false), (#"{"names":["dns:bank.example"]}"#, false),
            (#"{"names":["uri:*x","email:ada@trading.bank.example"]}"#, true), (#"{"names":["uri:ada*"]}"#, false),
            (#"{"subject":{"OU":"Settlement"},"names":["dns:nobody.example"]}"#, false),
        ])
    func department(_ filter: String, _ isAda: Bool) throws {
        let constitution = try constitution(filter)
        let ada = try #require(Bank.ada)
        if isAda {
            #expect(try constitution.resolveActor(certificateChain: [ada], at: now).id == "bank")
        } else {
            #expect(throws: ActorRefusal.otherDepartment) {
                try constitution.resolveActor(certificateChain: [ada], at: now)
            }
        }
        #expect(throws: ActorRefusal.otherDepartment) {
            try constitution.resolveActor(certificateChain: [#require(Bank.bob)], at: now)
        }
    }

    @Test("groups are told apart; without a department everyone acts")
    func groups() throws {
        let constitution = try constitution(
            nil,
            groups:
                #"{"traders":{"names":["email:*@trading.bank.example"]},"all":{"subject":{"O":"Bank"}},"lenders":{"subject":{"OU":"Lending"}}}"#
        )
        for (der, groups) in [(Bank.ada, ["traders", "all"]), (Bank.bob, ["all", "lenders"])] {
            let der = try #require(der)
            let actor = try constitution.resolveActor(certificateChain: [der], at: now)
            #expect(actor.groups(ofCertificate: der) == groups)
        }
        #expect(constitution.actor("bank")?.groups(ofCertificate: [1, 2]) == [])
    }

    @Test(
        "what is no filter is refused",
        arguments: [
            "{}", #"{"subject":{}}"#, #"{"subject":{"DN":"x"}}"#, #"{"subject":{"OU":""}}"#, #"{"names":[]}"#,
            #"{"names":["bank.example"]}"#, #"{"names":["dns:"]}"#, #"{"names":["dns:*"]}"#, #"{"names":["dns:a*b"]}"#,
            #"{"names":["dns:*a*"]}"#, #"{"name":["dns:a"]}"#,
        ])
    func refused(_ filter: String) throws {
        #expect(throws: ConstitutionError.self) {
            try CertificateFilter(json: JSON(parsing: Array(filter.utf8)), path: "p")
        }
    }

    @Test("a department without an organisation is a mistake; a vote can set one")
    func voted() throws {
        var document = try Sample.document()
        document.actors[0].department = CertificateFilter(subject: [.init(name: "OU", value: "x")])
        #expect(document.problems().contains(.malformed("members[bank-a].department", "")))
        var network = try TestNetwork { $0.voting.standard.rule = .atLeast(1) }
        var supplier = try #require(network.constitution.actor("supplier"))
        supplier.department = CertificateFilter(subject: [.init(name: "CN", value: "clerk")])
        supplier.groups = [.init(name: "clerks", filter: CertificateFilter(names: ["uri:urn:entente:*"]))]
        try network.propose([.setActor(supplier)], ballot: .yes)
        #expect(network.constitution.actor("supplier") == supplier)
        try network.check()
    }
}
