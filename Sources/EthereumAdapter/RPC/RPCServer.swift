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

    /// A body whose submissions are under way.
    private struct Pending {
        enum Slot {
            case answered([UInt8])
            /// Place among the submissions, with the call's id, nil for a notification.
            case submitted(Int, id: JSON?, hash: Bytes32)
        }

        var slots: [Slot]
        var isBatch: Bool
        var submissions: Int
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
        guard outcomes.count == waiting.submissions else {
            throw .wrongOrder("\(outcomes.count) outcomes for \(waiting.submissions) submissions")
        }
        pending[token] = nil
        var answers: [[UInt8]] = []
        answers.reserveCapacity(waiting.slots.count)
        for slot in waiting.slots {
            switch slot {
            case .answered(let bytes): answers.append(bytes)
            case .submitted(let index, let id, let hash):
                if let id { answers.append(answer(outcomes[index], id: id, hash: hash)) }
            }
        }
        // Whoever asked gets it: the manager sends a finished answer to nobody else.
        return .done(body: body(answers, isBatch: waiting.isBatch), readers: .network)
    }

    func discard(_ token: QueryToken) { pending[token] = nil }

    /// Everything in this chain may be read by the whole network.
    private func readers(_ actor: ActorID) -> ReaderSet { .network }

    private func serve(_ calls: [JSON], isBatch: Bool, _ circumstances: Circumstances) -> QueryReply {
        var slots: [Pending.Slot] = []
        slots.reserveCapacity(calls.count)
        var submissions: [SubmissionRequest] = []
        var responseBytes = 0
        for call in calls {
            if responseBytes > chain.settings.responseBytesMax {
                slots.append(.answered(RPCAnswer.error(.responseTooLarge, id: call["id"] ?? .null)))
                continue
            }
            do throws(RPCFailure) {
                let request = try RPCRequest(call)
                switch try serve(request, circumstances) {
                case .answered(let value):
                    guard let id = request.id else { continue }
                    let bytes = RPCAnswer.result(value, id: id)
                    responseBytes += bytes.count
                    slots.append(.answered(bytes))
                case .submit(let body, let hash):
                    slots.append(.submitted(submissions.count, id: request.id, hash: hash))
                    submissions.append(.init(body: body))
                }
            } catch {
                // A notification gets no answer, not even an error; a broken request has the id null.
                if call["id"] != nil || error.error == .invalidRequest {
                    let bytes = RPCAnswer.error(error.error, id: error.id)
                    responseBytes += bytes.count
                    slots.append(.answered(bytes))
                }
            }
        }
        guard !submissions.isEmpty else {
            let answers = slots.map { slot in
                if case .answered(let bytes) = slot { bytes } else { [UInt8]() }
            }
            return .done(body: body(answers, isBatch: isBatch), readers: .network)
        }
        let token = nextToken
        nextToken += 1
        pending[token] = Pending(slots: slots, isBatch: isBatch, submissions: submissions.count)
        return .submit(submissions, token: token)
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
