import Primitives

/// Errors of the HTTP interface, with CCF's shape `{"error":{"code","message"}}`.
enum Refusal: Sendable {
    case badRequest, forbidden, notFound, methodNotAllowed, busy, notReady, timedOut, internalError, notCommitted
    case otherHistory, noStorage

    private var status: Int {
        switch self {
        case .badRequest: 400
        case .forbidden: 403
        case .notFound, .notCommitted: 404
        case .methodNotAllowed: 405
        case .busy, .notReady, .noStorage: 503
        case .timedOut: 504
        case .otherHistory: 409
        case .internalError: 500
        }
    }

    private var code: String {
        switch self {
        case .badRequest: "InvalidInput"
        case .forbidden: "AuthorizationFailed"
        case .notFound: "ResourceNotFound"
        case .notCommitted: "TransactionPendingOrUnknown"
        case .otherHistory: "TransactionInvalid"
        case .methodNotAllowed: "UnsupportedHttpVerb"
        case .busy: "TooManyPendingTransactions"
        case .notReady: "FrontendNotOpen"
        case .timedOut: "TransactionReplicationFailed"
        case .internalError: "InternalError"
        case .noStorage: "StorageUnavailable"
        }
    }

    /// The answer.
    func response(_ message: String, retryAfter: Int? = nil) -> ClientResponse {
        let body: JSON = ["error": ["code": .string(code), "message": .string(message)]]
        return ClientResponse(status: status, retryAfter: retryAfter, body: body.serialized())
    }
}
