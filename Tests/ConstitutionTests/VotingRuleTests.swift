import Constitution
import Primitives
import Testing

/// Four members whose votes are written as a text: f(or), a(gainst), o (abstains), - (has not voted).
private let members = ["a", "b", "c", "d"]

private func votes(_ text: String) -> [String: Vote] {
    var votes: [String: Vote] = [:]
    for (member, letter) in zip(members, text) {
        switch letter {
        case "f": votes[member] = .yes
        case "a": votes[member] = .no
        case "o": votes[member] = .abstain
        default: break
        }
    }
    return votes
}

func rule(_ text: String) throws -> VotingRule {
    try text.hasPrefix("{")
        ? VotingRule(json: JSON(parsing: Array(text.utf8)), path: "rule") : VotingRule(text, path: "rule")
}

@Suite("Voting rules")
struct VotingRuleTests {
    /// A rule, votes, and what is known of the outcome: +, - or ? while votes are taken, then at the deadline.
    private static let cases: [(String, String, String)] = [
        ("no vote", "----", "++"), ("never", "ffff", "--"),
        ("unanimous", "fff-", "?-"), ("unanimous", "ffff", "++"), ("unanimous", "fffo", "--"),
        ("unanimous", "a---", "--"),
        ("majority", "ff--", "?-"), ("majority", "fff-", "++"), ("majority", "ffoo", "--"), ("majority", "aa--", "--"),
        ("2 of N", "f---", "?-"), ("2 of N", "ffaa", "++"), ("2 of N", "faa-", "?-"), ("2 of N", "fooo", "--"),
        ("one of N", "--f-", "++"), ("5 of N", "----", "--"),
        ("50% of members", "ff--", "++"), ("more than 50% of members", "ff--", "?-"),
        ("more than 1/2 of members", "fff-", "++"), ("2/3 of members", "ff-a", "?-"), ("2/3 of members", "fffa", "++"),
        ("2/3 of votes", "ff--", "?+"), ("2/3 of votes", "ffoo", "++"), ("2/3 of votes", "ffao", "++"),
        ("2/3 of votes", "fa--", "?-"), ("2/3 of votes", "ffa-", "?+"), ("2/3 of votes", "faa-", "--"),
        ("2/3 of votes", "oooo", "--"), ("1% of votes", "----", "?-"),
        ("turnout 50%", "oa--", "++"), ("turnout 50%", "o---", "?-"), ("turnout 100%", "oaf-", "?-"),
        (#"{"count":2,"of":["a","b","x"]}"#, "ffaa", "++"), (#"{"count":2,"of":["a","b","x"]}"#, "f-ff", "?-"),
        (#"{"count":2,"of":["a","b","x"]}"#, "fa--", "--"), (#"{"of":["a","b"],"count":1}"#, "-f--", "++"),
        (#"{"weight":60,"of":{"a":40,"b":30,"c":20}}"#, "ff--", "++"),
        (#"{"weight":60,"of":{"a":40,"b":30,"c":20}}"#, "f-f-", "++"),
        (#"{"weight":60,"of":{"a":40,"b":30,"c":20}}"#, "-fff", "?-"),
        (#"{"weight":60,"of":{"a":40,"b":30,"c":20}}"#, "afff", "--"),
        (#"{"veto":["a"],"count":1}"#, "-fff", "?+"), (#"{"veto":["a"],"count":1}"#, "o---", "++"),
        (#"{"veto":["a"]}"#, "afff", "--"), (#"{"veto":"members","count":2}"#, "a---", "?+"),
        (#"{"veto":"members","count":2}"#, "aff-", "?+"), (#"{"veto":"members","count":2}"#, "afff", "++"),
        (#"{"veto":"members","count":2}"#, "aa--", "--"), (#"{"veto":["x"]}"#, "----", "--"),
        (#"{"veto":["x","a"]}"#, "o---", "++"),
        (#"{"all":["majority",{"veto":["d"]}]}"#, "fff-", "?+"),
        (#"{"all":["majority",{"veto":["d"]}]}"#, "fffo", "++"),
        (#"{"all":["majority",{"veto":["d"]}]}"#, "fffa", "--"),
        (#"{"any":["unanimous",{"count":1,"of":["a"]}]}"#, "f---", "++"),
        (#"{"any":["unanimous",{"count":1,"of":["a"]}]}"#, "a---", "--"),
        (#"{"all":["turnout 75%","more than 1/2 of votes"]}"#, "ff--", "?-"),
        (#"{"all":["turnout 75%","more than 1/2 of votes"]}"#, "ffo-", "++"),
        (#"{"if":{"open":true},"then":"one of N","else":"unanimous"}"#, "f---", "++"),
        (#"{"if":{"open":false},"then":"one of N","else":"unanimous"}"#, "f---", "?-"),
    ]

    @Test("decide as soon as no outstanding vote can change the result", arguments: cases)
    func verdicts(_ text: String, _ ballots: String, _ expected: String) throws {
        let rule = try rule(text)
        let open = rule.verdict(Tally(members: members, votes: votes(ballots))) { $0 == .open(true) }
        let final = rule.verdict(Tally(members: members, votes: votes(ballots), isFinal: true)) { $0 == .open(true) }
        #expect((open.passes ? "+" : open.canPass ? "?" : "-") + (final.passes ? "+" : "-") == expected)
        #expect(final.passes == final.canPass)
    }

    @Test("one condition's other value can be unknown")
    func unknownCondition() throws {
        let rule = try rule(#"{"if":{"open":true},"then":"one of N","else":"2 of N"}"#)
        let one = rule.verdict(Tally(members: members, votes: votes("faaa"))) { _ in nil }
        #expect(!one.passes && one.canPass)
        let two = rule.verdict(Tally(members: members, votes: votes("ff--"))) { _ in nil }
        #expect(two.passes && two.canPass)
    }

    @Test("what outstanding votes can do is what trying all of them shows")
    func exhaustive() throws {
        // For each rule without a veto, share of votes or turnout beside another part, the verdict is exact.
        for text in [
            "unanimous", "majority", "2 of N", "2/3 of members", "2/3 of votes", "turnout 60%", #"{"veto":["b","c"]}"#,
            #"{"count":2,"of":["a","c","d"]}"#, #"{"weight":5,"of":{"a":3,"b":2,"c":2}}"#,
            #"{"any":["3 of N",{"count":1,"of":["a"]}]}"#, #"{"all":["2 of N",{"count":1,"of":["a","b"]}]}"#,
        ] {
            let rule = try rule(text)
            for code in 0..<256 {
                let ballots = String((0..<4).map { Array("fao-")[code >> (2 * $0) & 3] })
                var results: Set<Bool> = []
                for other in 0..<256 {
                    let way = String((0..<4).map { Array("fao-")[other >> (2 * $0) & 3] })
                    guard zip(ballots, way).allSatisfy({ $0 == "-" || $0 == $1 }) else { continue }
                    results.insert(rule.passes(votes(way), members: members))
                }
                let verdict = rule.verdict(Tally(members: members, votes: votes(ballots))) { _ in nil }
                #expect(verdict.passes == (results == [true]), "\(text) \(ballots)")
                #expect(verdict.canPass == results.contains(true), "\(text) \(ballots)")
            }
        }
    }

    @Test("every form is written as it is read")
    func roundTrip() throws {
        for (text, _, _) in Self.cases {
            let rule = try rule(text)
            #expect(try VotingRule(json: rule.json, path: "") == rule, "\(text)")
            #expect(try VotingPolicy(text: VotingPolicy(rule: rule).text, path: "").rule == rule)
            #expect(!rule.words.isEmpty)
        }
        for text in [
            #"{"proposer":"owner","ownerNodes":{"atMost":3},"codeEndorsed":"majority"}"#,
            #"{"any":[{"proposer":["a","b"]},{"owner":"participant"},{"not":{"open":false}}]}"#,
            #"{"keeps":["owner","address"]}"#, #"{"platform":["sev-snp","tdx"]}"#,
            #"{"parameters":[{"name":"batch.delayMicroseconds","atLeast":1,"atMost":9000},{"name":"consensus.restart"}]}"#,
            #"{"actions":{"atMost":1}}"#, #"{"onlyWith":["set_node","set_member"]}"#,
            #"{"members":{"atLeast":3},"participants":{"atMost":5},"nodes":{"atLeast":1,"atMost":1}}"#,
        ] {
            let condition = try Condition(json: JSON(parsing: Array(text.utf8)), path: "c")
            #expect(try Condition(json: condition.json, path: "c") == condition)
            #expect(!condition.words.isEmpty)
        }
    }

    @Test("policies say their times")
    func policies() throws {
        let text = #"{"rule":"2 of N","propose":["a"],"open":"36 hours","deadline":"7 days"}"#
        let policy = try VotingPolicy(json: JSON(parsing: Array(text.utf8)), path: "p")
        #expect(policy.openMilliseconds == 36 * 3_600_000)
        #expect(policy.deadlineMilliseconds == 7 * 86_400_000)
        #expect(policy.text == text)
        #expect(try VotingPolicy(text: policy.text, path: "p") == policy)
        #expect(
            policy.words
                == "a proposes; it passes when at least 2 members agree; nothing is decided before 36 hours; after 7 days "
                + "the votes that are there decide.")
        #expect(try VotingPolicy(json: "majority", path: "p") == VotingPolicy(rule: .majority))
    }

    @Test(
        "what is no rule is refused",
        arguments: [
            #""""#, #""most""#, #""2 of 3""#, #""0 of N""#, #""0% of members""#, #""101% of members""#,
            #""3/2 of votes""#,
            #""1/0 of votes""#, #""more than 100% of members""#, #""02 of N""#, #""+2 of N""#, #""50/100 of members""#,
            "1", "null", "[]", "{}", #"{"all":[]}"#, #"{"all":"majority"}"#, #"{"some":["majority"]}"#,
            #"{"all":["majority"],"any":["majority"]}"#, #"{"count":0,"of":["a"]}"#, #"{"count":1,"of":[]}"#,
            #"{"count":1,"of":["a","a"]}"#, #"{"count":1,"of":["A"]}"#, #"{"count":-1,"of":["a"]}"#,
            #"{"count":1.5,"of":["a"]}"#, #"{"count":5000000000,"of":["a"]}"#, #"{"count":1}"#,
            #"{"weight":0,"of":{"a":1}}"#, #"{"weight":1,"of":{}}"#, #"{"weight":1,"of":{"a":-1}}"#, #"{"veto":"all"}"#,
            #"{"veto":["a"],"count":0}"#, #"{"veto":["a"],"coutn":1}"#, #"{"if":{"open":true},"then":"majority"}"#,
            #"{"if":{},"then":"majority","else":"never"}"#, #"{"if":{"opne":true},"then":"majority","else":"never"}"#,
            #"{"if":{"members":{}},"then":"majority","else":"never"}"#,
            #"{"if":{"parameters":[{"name":"mood"}]},"then":"majority","else":"never"}"#,
            #"{"rule":"majority","propose":"nobody"}"#, #"{"rule":"majority","deadline":"soon"}"#,
            #"{"rule":"majority","deadline":"99999999 days"}"#,
            #"{"rule":"majority","deadline":"1 day","open":"2 days"}"#,
            #"{"rule":"majority","vote":"secret"}"#,
        ])
    func refused(_ text: String) throws {
        let json = try JSON(parsing: Array(text.utf8))
        let error = #expect(throws: ConstitutionError.self) { try VotingPolicy(json: json, path: "voting.standard") }
        #expect(error?.path.hasPrefix("voting.standard") == true)
    }

    @Test("depth and size are bounded")
    func bounds() throws {
        var deep: JSON = "majority"
        for _ in 0..<16 { deep = ["all": [deep]] }
        #expect(throws: Never.self) { try VotingRule(json: deep, path: "r") }
        #expect(throws: ConstitutionError.outOfRange("r" + String(repeating: ".all[0]", count: 17), "")) {
            try VotingRule(json: ["all": [deep]], path: "r")
        }
        let wide: JSON = ["any": .array(Array(repeating: "majority", count: 256))]
        #expect(throws: ConstitutionError.self) { try VotingRule(json: wide, path: "r") }
    }

    @Test("rules are said in words")
    func words() throws {
        for (text, words) in [
            (
                #"{"all":["majority",{"veto":["bank-a"]}]}"#,
                "more than half of the members agree and bank-a does not vote against it"
            ),
            (
                #"{"any":[{"all":["majority","turnout 75%"]},"unanimous"]}"#,
                "(more than half of the members agree and at least 75% of the members have voted) or (all members agree)"
            ),
            (
                #"{"if":{"proposer":"owner","ownerNodes":{"atMost":3},"codeEndorsed":"majority"},"then":"no vote","else":"majority"}"#,
                "if the proposer owns what it is about and the owner then has at most 3 VNs and the VN runs code that a "
                    + "majority endorsed: no vote is needed; otherwise: more than half of the members agree"
            ),
            (#"{"weight":60,"of":{"a":40,"b":30}}"#, "members weighing at least 60 agree (a weighs 40, b weighs 30)"),
        ] {
            #expect(try rule(text).words == words)
        }
    }
}
