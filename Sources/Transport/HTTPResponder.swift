internal import Synchronization

/// Takes the answer to one request. The first call counts, later ones are ignored; a responder that is thrown away
/// unused answers 500, so that a handler's mistake can't leave a client waiting.
public final class HTTPResponder: Sendable {
    private let handler: HTTPServerChannelHandler
    private let sequence: UInt64
    private let used = Atomic<Bool>(false)

    init(handler: HTTPServerChannelHandler, sequence: UInt64) {
        self.handler = handler
        self.sequence = sequence
    }

    /// Gives the answer, from any thread.
    public func callAsFunction(_ response: HTTPResponse) {
        guard !used.exchange(true, ordering: .relaxed) else { return }
        handler.deliver(response, for: sequence)
    }

    deinit {
        guard !used.load(ordering: .relaxed) else { return }
        handler.deliver(
            .error(500, code: "InternalError", message: "the request was dropped without an answer"), for: sequence)
    }
}
