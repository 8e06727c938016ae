import AdapterKit
import Consensus
import Ledger
import Manager

// Clients: they write and read, repeat what got no answer under the same request id at another node, and remember all.
extension NodeSimulation {
    static let attemptsMax = 6

    func think(_ client: Int) {
        guard clients[client].operation == nil, statuses == nil else { return }
        if isHealed, clients[client].doneAfterHeal >= 3 { return }
        if random.below(5) == 0 { clients[client].node = Int(random.below(UInt64(machines.count))) }
        let number = history.operations.count
        let key = UInt8(random.below(profile.keys))
        let kind: History.Kind
        switch random.below(8) {
        case 0, 1: kind = .read(key: key)
        case 2: kind = .write(.put(key: key, random.below(1_000)))
        case 3 where profile.keys > 1, 4 where profile.keys > 1:
            let other = UInt8((UInt64(key) + 1 + random.below(profile.keys - 1)) % profile.keys)
            kind = .write(.move(from: key, to: other, 1 + random.below(200)))
        default: kind = .write(.add(key: key, 1 + random.below(100)))
        }
        let isNamed = random.below(10) > 0
        let requestID = isNamed ? KeyValueOperation.bytes(UInt64(number)) + [7] : nil
        history.operations.append(
            .init(
                kind: kind, client: client, requestID: requestID, floor: history.acknowledged,
                atLeast: random.below(2) == 0 ? clients[client].lastSeen : nil))
        clients[client].operation = number
        attempt(number, at: clients[client].node)
        // Some clients are impatient and ask two nodes at once.
        if isNamed, random.below(10) == 0, case .write = kind {
            attempt(number, at: Int(random.below(UInt64(machines.count))))
        }
    }

    func attempt(_ number: Int, at node: Int) {
        let token = history.nextToken
        history.nextToken += 1
        history.tokens[token] = (number, node, false)
        history.operations[number].attempts += 1
        history.operations[number].openAttempts += 1
        let operation = history.operations[number]
        let body: [UInt8] =
            switch operation.kind {
            case .write(let write): write.body(number: number)
            case .read(let key): [0, key]
            }
        let request = ClientRequest(
            token: token, listener: .application, actor: "bank-0", method: "POST", path: "/",
            requestID: operation.requestID, atLeast: operation.atLeast, body: body)
        events.add(.request(node, request), at: now + 200 + random.below(2_000))
        events.add(.timeout(token), at: now + 1_500_000 + random.below(1_500_000))
    }

    /// A request reaches its node, if one is there.
    func take(_ request: ClientRequest, at node: Int) {
        guard machines[node].manager != nil, machines[node].isServing else {
            return events.add(.response(request.token, nil), at: now + 500)
        }
        if statuses != nil { takenAt[request.token] = now }
        note("n\(node) is asked \(request.token)", 30, UInt64(node), request.token)
        feed(node, [.request(request)])
    }

    /// A node answers; the answer may get lost.
    func answer(_ token: RequestToken, _ response: ClientResponse) {
        if statuses != nil { answeredAt[token] = now }
        note("request \(token) is answered with \(response.status)", 31, token, UInt64(response.status))
        if !isHealed, random.below(1000) < profile.lossPermille { return }
        events.add(.response(token, response), at: now + 200 + random.below(2_000))
    }

    /// An answer reaches its client; nil says that no node took the request.
    func receive(_ token: RequestToken, _ response: ClientResponse?) {
        guard let (number, node, isLate) = history.tokens.removeValue(forKey: token) else { return }
        if !isLate { history.operations[number].openAttempts -= 1 }
        if statuses != nil {
            statuses?[token] = response?.status ?? 0
            if case .read = history.operations[number].kind { return }
        }
        guard let response, response.status != 503 else { return refused(number) }
        guard response.status == 200 else {
            guard response.status == 504 else {
                let text = String(decoding: response.body, as: UTF8.self)
                return oracle.violated("Client", "n\(node) answers \(response.status): \(text)")
            }
            history.operations[number].mayHaveHappened = true
            return again(number)
        }
        switch history.operations[number].kind {
        case .read(let key): receiveRead(number, node, key, response, token)
        case .write: receiveWrite(number, response)
        }
    }

    private func receiveWrite(_ number: Int, _ response: ClientResponse) {
        guard let answer = KeyValueAnswer(response.body) else {
            return oracle.violated("Client", "an answer to a write that is none")
        }
        switch answer {
        case .committed(let id, let index, let value):
            history.operations[number].claims.append(.init(id: id, index: index, value: value))
            history.acknowledged = max(history.acknowledged, .init(seqno: id.seqno, index: index))
            let client = history.operations[number].client
            clients[client].lastSeen = newer(clients[client].lastSeen, id)
            finish(number)
        case .invalid: refused(number, isFinal: true)
        case .unknown:
            history.operations[number].mayHaveHappened = true
            again(number)
        }
    }

    private func receiveRead(
        _ number: Int, _ node: Int, _ key: UInt8, _ response: ClientResponse, _ token: RequestToken
    ) {
        guard response.body.count == 16, let reflects = response.reflects else {
            return oracle.violated("Client", "an answer to a read that is none")
        }
        history.reads.append(
            .init(
                operation: number, node: node, key: key, writer: KeyValueOperation.number(response.body[..<8]),
                value: KeyValueOperation.number(response.body[8...]), reflects: reflects,
                atLeast: history.operations[number].atLeast))
        let client = history.operations[number].client
        guard finalReads.removeValue(forKey: token) == nil else {
            history.operations[number].isDone = true
            return
        }
        clients[client].lastSeen = newer(clients[client].lastSeen, reflects)
        finish(number)
    }

    private func newer(_ left: TransactionID?, _ right: TransactionID) -> TransactionID {
        guard let left, left.seqno > right.seqno else { return right }
        return left
    }

    /// It did not happen in this attempt, so says the network.
    private func refused(_ number: Int, isFinal: Bool = false) {
        // Another attempt may still be on its way.
        if history.operations[number].openAttempts > 0 { history.operations[number].mayHaveHappened = true }
        if isFinal { return finish(number) }
        again(number)
    }

    /// No answer: nobody knows whether it happened.
    func timeOut(_ token: RequestToken) {
        guard let (number, node, _) = history.tokens[token] else { return }
        // The token stays: should an answer come after all, it is held to what it says.
        history.tokens[token]?.isLate = true
        history.operations[number].openAttempts -= 1
        if !history.operations[number].isDone { history.operations[number].mayHaveHappened = true }
        if finalReads.removeValue(forKey: token) != nil {
            return oracle.violated("Liveness", "n\(node) does not answer a read in the end: " + describeNodes())
        }
        again(number)
    }

    /// Tries once more, elsewhere, if that can't make it happen twice.
    private func again(_ number: Int) {
        let operation = history.operations[number]
        guard !operation.isDone, clients[operation.client].operation == number else { return }
        // Whoever asked twice waits for the other answer.
        guard operation.openAttempts == 0 else { return }
        let isSafe: Bool
        if case .read = operation.kind {
            isSafe = true
        } else {
            isSafe = operation.requestID != nil || !operation.mayHaveHappened
        }
        guard isSafe, operation.attempts < (isHealed ? 60 : Self.attemptsMax) else { return finish(number) }
        let node = Int(random.below(UInt64(machines.count)))
        clients[operation.client].node = node
        attempt(number, at: node)
    }

    private func finish(_ number: Int) {
        let client = history.operations[number].client
        if history.operations[number].openAttempts > 0, history.operations[number].claims.isEmpty {
            history.operations[number].mayHaveHappened = true
        }
        history.operations[number].isDone = true
        guard clients[client].operation == number else { return }
        clients[client].operation = nil
        if isHealed {
            if !history.operations[number].claims.isEmpty || isRead(number) { clients[client].doneAfterHeal += 1 }
        }
        events.add(.think(client), at: now + 1_000 + random.below(2 * profile.thinkMean))
    }

    private func isRead(_ number: Int) -> Bool {
        if case .read = history.operations[number].kind { return true }
        return false
    }

    /// In the end each live node must show each key as the ledger has it.
    func askFinalReads(_ nodes: [Int]) {
        let last = prefix.entries.last.map {
            TransactionID(view: $0.position.view, seqno: $0.position.seqno)
        }
        for node in nodes {
            for key in 0..<UInt8(profile.keys) {
                let number = history.operations.count
                history.operations.append(
                    .init(
                        kind: .read(key: key), client: 0, requestID: nil, floor: history.acknowledged, atLeast: last))
                finalReads[history.nextToken] = (node, key)
                attempt(number, at: node)
            }
        }
    }
}
