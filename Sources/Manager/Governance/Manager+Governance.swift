import AdapterKit
import Consensus
import Constitution
import Ledger
import Primitives

// The way of a governance message: from a client of any node to the primary, and the answer back once it is committed.
extension Manager {
    /// A client brings a signed message.
    mutating func startGovernance(
        _ request: ClientRequest, _ kind: GovernanceMessage.Kind, proposalID: String? = nil, member: String? = nil
    ) {
        guard phase == .active else {
            return refuse(request.token, .notReady, "the node is \(phase.word)", retryAfter: 1)
        }
        guard governance.works.count < GovernanceDesk.worksMax else {
            return refuse(request.token, .busy, "too many governance messages wait at this node", retryAfter: 1)
        }
        let call = GovernanceCall(
            kind: kind.rawValue, proposalID: proposalID, member: member, message: request.body,
            session: request.session)
        // The primary would take one that it can't decode for a broken node.
        guard call.isWithinLimits else {
            return refuse(request.token, .badRequest, "no proposal, member or message can be as long as that")
        }
        clients[request.token] = ClientWait(
            request: request, endpoint: "", stage: .ledger, reflects: nil,
            deadline: clock.monotonic + settings.requestTimeoutMicroseconds)
        beginGovernance(.client(request.token), call)
    }

    /// Another node forwards one.
    mutating func receiveGovernance(_ call: GovernanceCall, number: UInt64, from peer: PeerID) {
        guard isPrimary else { return send(.declined(number: number, .notPrimary), to: peer) }
        guard governance.works.count < GovernanceDesk.worksMax else {
            return send(.declined(number: number, .busy), to: peer)
        }
        beginGovernance(.peer(peer, number: number), call)
    }

    private mutating func beginGovernance(_ origin: GovernanceWork.Origin, _ call: GovernanceCall) {
        let number = nextWork
        nextWork += 1
        governance.works[number] = GovernanceWork(
            number: number, origin: origin, call: call,
            deadline: clock.monotonic + settings.requestTimeoutMicroseconds)
        routeGovernance(number)
    }

    /// Sends a message to where it can be decided.
    private mutating func routeGovernance(_ number: UInt64) {
        guard let work = governance.works[number] else { return }
        if isPrimary {
            governance.works[number]?.place = .queued
            governance.queue.append(number)
            takeGovernance()
        } else if case .peer(let peer, let remote) = work.origin {
            governance.works[number] = nil
            send(.declined(number: remote, .notPrimary), to: peer)
        } else if let primary, channels[primary] != nil {
            governance.works[number]?.place = .forwarded(to: primary)
            send(.govern(number: number, work.call), to: primary)
        } else {
            governance.works[number]?.place = .waiting
        }
    }

    /// Messages that were at a primary which leads no more, or for which there was none, go on their way again.
    mutating func rerouteGovernance() {
        for number in governance.works.keys.sorted() {
            switch governance.works[number]?.place {
            case .forwarded: governance.works[number]?.call.isRepeated = true
            case .waiting, .queued: break
            default: continue
            }
            governance.queue.removeAll { $0 == number }
            routeGovernance(number)
        }
    }

    /// A channel is gone.
    mutating func governancePeerGone(_ peer: PeerID) {
        for number in governance.works.keys.sorted() {
            guard let work = governance.works[number] else { continue }
            if case .peer(peer, _) = work.origin {
                // What is in the ledger goes on; nobody is there to hear of it.
                governance.works[number] = nil
                governance.queue.removeAll { $0 == number }
            } else if work.place == .forwarded(to: peer) {
                governance.works[number]?.place = .waiting
                governance.works[number]?.call.isRepeated = true
            }
        }
    }

    /// Entries after `seqno` never happened: what they answered is open again.
    mutating func governanceTruncated(to seqno: UInt64) {
        governance.latest = nil
        governance.lastEntry = min(governance.lastEntry, seqno)
        for gone in governance.atCommit.keys.sorted() where gone > seqno {
            for (number, _) in governance.atCommit.removeValue(forKey: gone) ?? [] {
                governance.works[number]?.place = .waiting
                routeGovernance(number)
            }
        }
    }

    /// The primary's answer to a forwarded message.
    mutating func governed(_ number: UInt64, _ answer: GovernanceAnswer, by peer: PeerID) {
        guard let work = governance.works[number], work.place == .forwarded(to: peer) else { return }
        governance.works[number]?.place = .decided(answer)
        answerDecidedGovernance(number)
    }

    /// The primary would not take it.
    mutating func governanceDeclined(_ number: UInt64, _ why: NodeMessage.Decline, by peer: PeerID) {
        guard let work = governance.works[number], work.place == .forwarded(to: peer) else { return }
        switch why {
        case .notPrimary:
            governance.works[number]?.place = .waiting
            if primary != peer { routeGovernance(number) }
        case .busy:
            governance.works[number] = nil
            if case .client(let token) = work.origin {
                refuse(token, .busy, "too many governance messages wait at the primary", retryAfter: 1)
            }
        }
    }

    /// Tells the origin what was decided; a client of this node only once this node has the entry too.
    mutating func concludeGovernance(_ number: UInt64, _ answer: GovernanceAnswer) {
        guard let work = governance.works[number] else { return }
        switch work.origin {
        case .peer(let peer, let remote):
            governance.works[number] = nil
            send(.governed(number: remote, answer), to: peer)
        case .client:
            governance.works[number]?.place = .decided(answer)
            answerDecidedGovernance(number)
        }
    }

    private mutating func answerDecidedGovernance(_ number: UInt64) {
        guard let work = governance.works[number], case .decided(let answer) = work.place,
            answer.id.map({ $0.seqno <= appliedSeqno }) ?? true
        else { return }
        governance.works[number] = nil
        if case .client(let token) = work.origin { respond(token, answer.response) }
    }

    /// What waited for entries up to `seqno` is answered.
    mutating func releaseGovernance(upTo seqno: UInt64) {
        for committed in governance.atCommit.keys.sorted() where committed <= seqno {
            for (number, answer) in governance.atCommit.removeValue(forKey: committed) ?? [] {
                concludeGovernance(number, answer)
            }
        }
        for number in governance.works.keys.sorted() { answerDecidedGovernance(number) }
    }

    /// What is overdue counts as unknown: a message that was taken is in the list of proposals.
    mutating func expireGovernance() {
        for number in governance.works.keys.sorted() {
            guard let work = governance.works[number], work.deadline <= clock.monotonic else { continue }
            governance.works[number] = nil
            governance.queue.removeAll { $0 == number }
            guard case .client(let token) = work.origin else { continue }
            if case .decided(let answer) = work.place {
                respond(token, answer.response)
                continue
            }
            refuse(
                token, .timedOut,
                "no answer in time; the outcome is unknown, look it up among the proposals before sending it again")
        }
        expireGovernanceWatches()
    }
}
