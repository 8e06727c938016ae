/// A question that an adapter has for a service outside the network. The constitution lists the services with each
/// adapter; the node's manager asks over TLS, keeps to the limits there, and records each answer that an entry used.
///
/// Questions are put while a query is looked at, before anything is ordered, so that no batch waits for a stranger. The
/// same question may be put more than once (by a client that repeats itself, say): services must bear that.
public struct OutsideCall: Hashable, Sendable {
    /// The service's name in the constitution.
    public var service: String
    /// What is sent to it, as the body of an HTTP POST.
    public var body: [UInt8]

    /// A question.
    public init(service: String, body: [UInt8]) {
        self.service = service
        self.body = body
    }
}

/// What came of a question.
public struct OutsideAnswer: Hashable, Sendable {
    /// An answer, or why there is none.
    public enum Result: Hashable, Sendable {
        /// The body of an answer with a status from 200 to 299.
        case body([UInt8])
        /// No such answer; the reason in words, without anything that the service sent.
        case failed(String)
    }

    /// The question.
    public var call: OutsideCall
    /// When the answer came, by the clock of the node that asked, in milliseconds since 1970.
    public var time: UInt64
    /// The answer.
    public var result: Result

    /// An answer to a question.
    public init(call: OutsideCall, time: UInt64, result: Result) {
        self.call = call
        self.time = time
        self.result = result
    }

    /// The body of a good answer.
    public var body: [UInt8]? {
        if case .body(let bytes) = result { bytes } else { nil }
    }
}
