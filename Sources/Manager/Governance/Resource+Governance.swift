import Constitution
import Identity
import Primitives

extension Resource {
    /// The governance interface, with CCF's paths and shapes (`api-version=2024-07-01`).
    static let governance: [Resource] = [
        Resource(at: "/gov/members/proposals:create", "POST", "brings a proposal, COSE_Sign1") { manager, request, _ in
            manager.startGovernance(request, .proposal)
        },
        Resource(at: "/gov/members/proposals", "GET", "proposals, oldest first") { manager, request, _ in
            manager.answerProposals(request)
        },
        Resource(at: "/gov/members/proposals/{proposalId}", "GET", "a proposal and its votes") {
            $0.answerProposal($1, $2[0])
        },
        Resource(at: "/gov/members/proposals/{proposalId}:withdraw", "POST", "takes a proposal back, COSE_Sign1") {
            $0.startGovernance($1, .withdrawal, proposalID: $2[0])
        },
        Resource(at: "/gov/members/proposals/{proposalId}/actions", "GET", "what a proposal wants") {
            $0.answerProposalActions($1, $2[0])
        },
        Resource(at: "/gov/members/proposals/{proposalId}/ballots/{memberId}", "GET", "a member's vote") {
            $0.answerBallot($1, $2[0], $2[1])
        },
        Resource(
            at: "/gov/members/proposals/{proposalId}/ballots/{memberId}:submit", "POST", "brings a vote, COSE_Sign1"
        ) {
            $0.startGovernance($1, .ballot, proposalID: $2[0], member: $2[1])
        },
        Resource(at: "/gov/service/info", "GET", "the service and its certificate") { manager, request, _ in
            manager.answerService(request)
        },
        Resource(at: "/gov/service/members", "GET", "members and participants") { manager, request, _ in
            manager.answerMembers(request)
        },
        Resource(at: "/gov/service/members/{memberId}", "GET", "one of them") { $0.answerMember($1, $2[0]) },
        Resource(at: "/gov/self", "GET", "the actor whom this session is of") { manager, request, _ in
            manager.answer(request, ["memberId": .string(request.actor)])
        },
        Resource(at: "/gov/service/nodes", "GET", "the VN list") { manager, request, _ in
            manager.answerNodes(request)
        },
        Resource(at: "/gov/service/constitution", "GET", "the constitution, now or at a transaction") {
            manager, request, _ in manager.answerConstitution(request)
        },
        Resource(at: "/gov/service/constitution/versions", "GET", "its versions, and who voted for each") {
            manager, request, _ in manager.answerConstitutionVersions(request)
        },
        Resource(at: "/gov/events", "GET", "what happened in governance; waits for it") { manager, request, _ in
            manager.startEvents(request)
        },
    ]
}

extension Manager {
    mutating func answerService(_ request: ClientRequest) {
        answer(
            request,
            [
                "status": .string(serviceStatus), "certificate": .string(sealed.networkCertificate),
                "recoveryCount": 0,
            ])
    }

    private func json(_ actor: Actor) -> JSON {
        let certificate = actor.certificates.first.flatMap { try? X509Certificate(der: $0.der) }
        return [
            "memberId": .string(actor.id), "status": "Active", "member": .bool(actor.isMember),
            "certificate": certificate.map { .string($0.pem) } ?? .null,
        ]
    }

    mutating func answerMembers(_ request: ClientRequest) {
        answer(request, ["value": .array(constitution.actors.map(json))])
    }

    mutating func answerMember(_ request: ClientRequest, _ id: String) {
        guard let actor = constitution.actor(id) else {
            return refuse(request.token, .notFound, "there is no actor of this id")
        }
        answer(request, json(actor))
    }
}
