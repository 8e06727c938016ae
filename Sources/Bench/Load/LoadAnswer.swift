internal import Primitives
package import Transport

/// What an answer says of the transactions of a request.
package enum LoadAnswer {
    /// What came of one transaction.
    package enum Verdict: Sendable, Equatable {
        case acknowledged
        case busy(String)
        /// The node can't be reached, so nothing was done.
        case unreachable(String)
        case refused(String)
        case unknown(String)

        /// The network's words.
        var reason: String? {
            switch self {
            case .acknowledged: nil
            case .busy(let text), .unreachable(let text), .refused(let text), .unknown(let text): text
            }
        }

        /// What it means for the account.
        var outcome: AccountBook.Outcome {
            switch self {
            case .acknowledged: .acknowledged
            case .busy, .unreachable: .notTaken
            case .refused: .refused
            case .unknown: .unknown
            }
        }
    }

    /// The verdict on each of a request's transactions.
    package static func verdicts(_ outcome: HTTPClient.Outcome, count: Int) -> [Verdict] {
        switch outcome {
        case .failure(let error):
            let verdict: Verdict =
                error.mayHaveBeenProcessed
                ? .unknown("\(error)") : error.isBusy ? .busy("\(error)") : .unreachable("\(error)")
            return .init(repeating: verdict, count: count)
        case .success(let response):
            return verdicts(status: response.status, body: response.body, count: count)
        }
    }

    private static let plainResult = Array("{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":\"0x".utf8)

    /// The verdict of an answer with this status and body.
    package static func verdicts(status: Int, body: [UInt8], count: Int) -> [Verdict] {
        guard status == 200 else {
            let text = "HTTP \(status)"
            // Only "busy" promises that nothing was done; of the rest, an error of the client's own is as certain.
            let verdict: Verdict =
                status == 503 ? .busy(text) : (400..<500).contains(status) ? .refused(text) : .unknown(text)
            return .init(repeating: verdict, count: count)
        }
        // What nearly every answer is, without taking the JSON apart.
        if count == 1, body.starts(with: plainResult) { return [.acknowledged] }
        guard let json = try? JSON(parsing: body) else {
            return .init(repeating: .unknown("the answer is not JSON"), count: count)
        }
        guard let answers = json.array else { return .init(repeating: verdict(json), count: count) }
        guard let sorted = try? RPCText.sorted(answers, count: count) else {
            return .init(repeating: .unknown("a batch's answers are not complete"), count: count)
        }
        return sorted.map(verdict)
    }

    /// Whether an error's text says that an entry's fate is open.
    static func isUnknown(_ message: String) -> Bool { message.hasPrefix("outcome unknown") }

    private static func verdict(_ json: JSON) -> Verdict {
        if json["result"]?.string != nil { return .acknowledged }
        guard let error = json["error"], let message = error["message"]?.string else {
            return .unknown("the answer is not JSON-RPC")
        }
        if error["code"]?.integer == RPCText.busyCode { return .busy(message) }
        // The text with which a node says that an entry's fate is open.
        if isUnknown(message) { return .unknown("outcome unknown") }
        return .refused(message)
    }
}
