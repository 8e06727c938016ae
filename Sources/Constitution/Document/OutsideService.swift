internal import SwiftASN1
internal import X509

/// A service outside the network that an adapter may ask: where it is, by whose word it is known, and how long and how
/// much it may answer. Only members can change it, by a vote on the adapter.
public struct OutsideService: Sendable, Hashable {
    /// The name that the adapter uses, such as `rates`.
    public var name: String
    /// Where it answers to POST: `https://HOST[:PORT][/PATH[?QUERY]]`, the host a DNS name, since its certificate is held
    /// against that and not against an address, which the node's host may choose.
    public var url: String
    /// Certificates (DER) to which the service's own must lead; nothing else is trusted, no system's list of authorities.
    public var authorities: [[UInt8]]
    /// Time for an exchange, connection included, in milliseconds.
    public var timeoutMilliseconds: UInt64
    /// Bytes of an answer at most.
    public var answerByteCountMax: UInt64

    /// Milliseconds that an exchange may be given: well within the time for a client's request.
    public static let timeoutRange: ClosedRange<UInt64> = 100...20_000
    /// Bytes that an answer may be given.
    public static let answerByteCountRange: ClosedRange<UInt64> = 1...(1 << 20)
    /// Bytes of a URL.
    public static let urlByteCountMax = 1_024

    /// A service.
    public init(
        name: String, url: String, authorities: [[UInt8]], timeoutMilliseconds: UInt64 = 5_000,
        answerByteCountMax: UInt64 = 64 << 10
    ) {
        self.name = name
        self.url = url
        self.authorities = authorities
        self.timeoutMilliseconds = timeoutMilliseconds
        self.answerByteCountMax = answerByteCountMax
    }

    /// The parts of a URL.
    public struct Place: Sendable, Hashable {
        /// DNS name.
        public let host: String
        /// TCP port.
        public let port: UInt16
        /// Path and query; begins with a slash.
        public let target: String
    }

    /// Where it is; nil if the URL is not of the form that ``url`` names.
    public var place: Place? {
        let scheme = "https://"
        guard url.utf8.count <= Self.urlByteCountMax, url.hasPrefix(scheme),
            url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x23 && $0 != 0x40 })
        else { return nil }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let target = rest.dropFirst(authority.count)
        guard
            let (host, port) = Names.split(
                address: authority.contains(":") ? String(authority) : "\(authority):443"),
            !authority.hasPrefix("["), host.split(separator: ".").last?.allSatisfy(\.isNumber) == false
        else { return nil }
        return Place(host: host, port: port, target: target.hasPrefix("/") ? String(target) : "/\(target)")
    }

    /// What is wrong with it, as reasons by field.
    var problems: [(field: String, reason: String)] {
        var problems: [(String, String)] = []
        if !Names.isEndpoint(name) { problems.append(("name", "it takes 1 to 32 of a-z, 0-9 and -")) }
        if place == nil {
            problems.append(("url", "it is https://HOST[:PORT][/PATH], HOST a DNS name, without user or fragment"))
        }
        if authorities.isEmpty { problems.append(("authorities", "without one nothing says who the service is")) }
        if authorities.count > Limits.certificatesMax {
            problems.append(("authorities", "more than \(Limits.certificatesMax)"))
        }
        for der in authorities where (try? Certificate(derEncoded: der)) == nil {
            problems.append(("authorities", "one is no X.509 certificate"))
        }
        if !Self.timeoutRange.contains(timeoutMilliseconds) {
            problems.append(("timeoutMilliseconds", "it is within \(Self.timeoutRange)"))
        }
        if !Self.answerByteCountRange.contains(answerByteCountMax) {
            problems.append(("answerBytesMax", "it is within \(Self.answerByteCountRange)"))
        }
        return problems
    }
}
