import AdapterKit
import Primitives

/// Ethereum's JSON-RPC over the chain's committed state: takes request bodies apart, serves what reads, and keeps the
/// rest of a body's answers while its submissions are decided.
final class RPCServer {
    /// What a call's handler may know beside its parameters.
    struct Circumstances {
        var actor: ActorID
        /// Ledger time in milliseconds.
        var time: UInt64
        var peers: UInt32
    }

    /// A body whose questions or submissions are under way.
    private struct Pending {
        enum Slot {
            case answered([UInt8])
            /// Place among the questions, and what to submit with the answer.
            case asked(Int, id: JSON?, hash: Bytes32, body: [UInt8])
            /// Place among the submissions, with the call's id, nil for a notification.
            case submitted(Int, id: JSON?, hash: Bytes32)
        }

        var slots: [Slot]
        var isBatch: Bool
        var questions: [OutsideCall]
        var submissions: [SubmissionRequest]
    }

    let chain: EthereumChain
    var filters: FilterRegistry
    private var pending: [QueryToken: Pending] = [:]
    private var nextToken: QueryToken = 1

    init(chain: EthereumChain) {
        self.chain = chain
        filters = FilterRegistry(
            perActorMax: chain.settings.filtersPerActorMax, expirySeconds: chain.settings.filterExpirySeconds)
    }

    /// Serves a body: one call or a batch.
    func query(_ query: Query, parsed: JSON?) -> QueryReply {
        guard let parsed else { return .done(body: RPCAnswer.error(.parse, id: .null), readers: readers(query.actor)) }
        let circumstances = Circumstances(
            actor: query.actor, time: query.context.time, peers: query.context.peers)
        guard case .array(let calls) = parsed else { return serve([parsed], isBatch: false, circumstances) }
        if calls.isEmpty { return .done(body: RPCAnswer.error(.emptyBatch, id: .null), readers: readers(query.actor)) }
        guard calls.count <= chain.settings.batchMax else {
            return .done(body: RPCAnswer.error(.batchTooLarge, id: .null), readers: readers(query.actor))
        }
        return serve(calls, isBatch: true, circumstances)
    }

    /// Makes the answer of a body whose submissions are decided.
    func finish(_ token: QueryToken, outcomes: [SubmissionOutcome]) throws(AdapterError) -> QueryReply {
        guard let waiting = pending[token] else { throw .unknownToken(token) }
        guard outcomes.count == waiting.submissions.count else {
            throw .wrongOrder("\(outcomes.count) outcomes for \(waiting.submissions.count) submissions")
        }
        pending[token] = nil
        var answers: [[UInt8]] = []
        answers.reserveCapacity(waiting.slots.count)
        for slot in waiting.slots {
            switch slot {
            case .answered(let bytes): if !bytes.isEmpty { answers.append(bytes) }
            case .asked: throw .wrongOrder("outcomes before the answers from outside")
            case .submitted(let index, let id, let hash):
                if let id { answers.append(answer(outcomes[index], id: id, hash: hash)) }
            }
        }
        // Whoever asked gets it: the manager sends a finished answer to nobody else.
        return .done(body: body(answers, isBatch: waiting.isBatch), readers: .network)
    }

    /// Goes on with a body whose questions have been put: what got no answer is refused, the rest is submitted.
    func called(_ token: QueryToken, answers: [OutsideAnswer]) throws(AdapterError) -> QueryReply {
        guard var waiting = pending.removeValue(forKey: token) else { throw .unknownToken(token) }
        guard answers.count == waiting.questions.count else {
            throw .wrongOrder("\(answers.count) answers to \(waiting.questions.count) questions")
        }
        for (place, slot) in waiting.slots.enumerated() {
            guard case .asked(let index, let id, let hash, let body) = slot else { continue }
            switch answers[index].result {
            case .body:
                waiting.slots[place] = .submitted(waiting.submissions.count, id: id, hash: hash)
                waiting.submissions.append(.init(body: body, answers: [UInt32(index)]))
            case .failed(let reason):
                let service = waiting.questions[index].service.prefix(100)
                let error = RPCError.server("the service \(service) gave no answer: \(reason)")
                waiting.slots[place] = .answered(id.map { RPCAnswer.error(error, id: $0) } ?? [])
            }
        }
        waiting.questions = []
        return proceed(waiting)
    }

    func discard(_ token: QueryToken) { pending[token] = nil }

    /// Everything in this chain may be read by the whole network.
    private func readers(_ actor: ActorID) -> ReaderSet { .network }

    private func serve(_ calls: [JSON], isBatch: Bool, _ circumstances: Circumstances) -> QueryReply {
        var waiting = Pending(slots: [], isBatch: isBatch, questions: [], submissions: [])
        waiting.slots.reserveCapacity(calls.count)
        var responseBytes = 0
        for call in calls {
            if responseBytes > chain.settings.responseBytesMax {
                waiting.slots.append(.answered(RPCAnswer.error(.responseTooLarge, id: call["id"] ?? .null)))
                continue
            }
            do throws(RPCFailure) {
                let request = try RPCRequest(call)
                switch try serve(request, circumstances) {
                case .answered(let value):
                    guard let id = request.id else { continue }
                    let bytes = RPCAnswer.result(value, id: id)
                    responseBytes += bytes.count
                    waiting.slots.append(.answered(bytes))
                case .submit(let body, let hash):
                    waiting.slots.append(.submitted(waiting.submissions.count, id: request.id, hash: hash))
                    waiting.submissions.append(.init(body: body))
                case .ask(let question, let body, let hash):
                    guard waiting.questions.count < AdapterLimits.outsideCallsMax else {
                        throw RPCFailure(id: request.id ?? .null, .batchTooLarge)
                    }
                    waiting.slots.append(.asked(waiting.questions.count, id: request.id, hash: hash, body: body))
                    waiting.questions.append(question)
                }
            } catch {
                // A notification gets no answer, not even an error; a broken request has the id null.
                if call["id"] != nil || error.error == .invalidRequest {
                    let bytes = RPCAnswer.error(error.error, id: error.id)
                    responseBytes += bytes.count
                    waiting.slots.append(.answered(bytes))
                }
            }
        }
        return proceed(waiting)
    }

    /// What is next for a body: questions, then submissions, then its answer.
    private func proceed(_ waiting: Pending) -> QueryReply {
        guard !waiting.questions.isEmpty || !waiting.submissions.isEmpty else {
            let answers = waiting.slots.compactMap { slot -> [UInt8]? in
                if case .answered(let bytes) = slot, !bytes.isEmpty { bytes } else { nil }
            }
            return .done(body: body(answers, isBatch: waiting.isBatch), readers: .network)
        }
        let token = nextToken
        nextToken += 1
        pending[token] = waiting
        if !waiting.questions.isEmpty { return .call(waiting.questions, token: token) }
        return .submit(waiting.submissions, token: token)
    }

    private func serve(
        _ request: RPCRequest, _ circumstances: Circumstances
    ) throws(RPCFailure) -> RPCMethod.WriteStep {
        do throws(RPCError) {
            guard let method = RPCMethod.byName[request.method] else { throw .methodNotFound(request.method) }
            try method.check(request.parameters)
            let call = RPCCall(parameters: RPCParameters(values: request.parameters), query: circumstances)
            switch method.action {
            case .read(let reader): return .answered(try reader(self)(call))
            case .write(let writer): return try writer(self)(call)
            }
        } catch {
            throw RPCFailure(id: request.id ?? .null, error)
        }
    }

    private func answer(_ outcome: SubmissionOutcome, id: JSON, hash: Bytes32) -> [UInt8] {
        switch outcome {
        case .committed(_, _, let response), .deferred(let response):
            // The response is the result's JSON text, made by this adapter on the primary.
            return RPCAnswer.result(text: response, id: id)
        case .invalid(let rejection):
            return RPCAnswer.error(
                RPCError(code: rejection.code, message: rejection.message, data: rejection.data), id: id)
        case .unknown: return RPCAnswer.error(.unknownOutcome(hash.hex), id: id)
        }
    }

    private func body(_ answers: [[UInt8]], isBatch: Bool) -> [UInt8] {
        isBatch ? RPCAnswer.batch(answers) : answers.first ?? []
    }
}
