import Crypto
import FoundationEssentials
import Glibc
import Logging
import NIOCore
import NIOPosix
import SwiftASN1
import Synchronization
import Testing
import Transport
import X509

/// A certificate authority of the tests and what it issues.
struct TestAuthority {
    let name: DistinguishedName
    let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    let certificate: Certificate

    init(_ common: String = "test network") throws {
        name = try DistinguishedName { CommonName(common) }
        certificate = try Self.make(name, key.publicKey, name, key, isAuthority: true, days: 1)
    }

    var der: [UInt8] { get throws { try Self.der(certificate) } }

    /// A leaf and its key, `days` from now to its end; negative ones have ended.
    func issue(_ common: String, days: Double = 1, dnsName: String? = nil) throws -> TLSIdentity {
        let key = P256.Signing.PrivateKey()
        let certificate = try Self.make(
            DistinguishedName { CommonName(common) }, Certificate.PrivateKey(key).publicKey, name, self.key,
            isAuthority: false, days: days, dnsName: dnsName)
        return try TLSIdentity(
            certificateChain: [Self.der(certificate), der], privateKey: Array(key.derRepresentation))
    }

    /// As ``issue(_:days:)``, as PEM texts.
    func issuePEM(_ common: String) throws -> (chain: String, key: String) {
        let key = P256.Signing.PrivateKey()
        let certificate = try Self.make(
            DistinguishedName { CommonName(common) }, Certificate.PrivateKey(key).publicKey, name, self.key,
            isAuthority: false, days: 1)
        return (try certificate.serializeAsPEM().pemString, key.pemRepresentation)
    }

    private static func make(
        _ subject: DistinguishedName, _ subjectKey: Certificate.PublicKey, _ issuer: DistinguishedName,
        _ issuerKey: Certificate.PrivateKey, isAuthority: Bool, days: Double, dnsName: String? = nil
    ) throws -> Certificate {
        let now = Date()
        return try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: subjectKey,
            notValidBefore: now.addingTimeInterval(-864_000), notValidAfter: now.addingTimeInterval(days * 86_400),
            issuer: issuer, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                if isAuthority {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                } else {
                    Critical(BasicConstraints.notCertificateAuthority)
                }
                if let dnsName { SubjectAlternativeNames([.dnsName(dnsName)]) }
            }, issuerPrivateKey: issuerKey)
    }

    static func der(_ certificate: Certificate) throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return serializer.serializedBytes
    }

    /// Common name of a certificate in DER.
    static func commonName(_ der: [UInt8]?) -> String {
        guard let der, let certificate = try? Certificate(derEncoded: der) else { return "" }
        for part in certificate.subject {
            for attribute in part where attribute.type == .RDNAttributeType.commonName { return "\(attribute.value)" }
        }
        return ""
    }

    static func hasEnded(_ der: [UInt8]?) -> Bool {
        guard let der, let certificate = try? Certificate(derEncoded: der) else { return true }
        return certificate.notValidAfter < Date()
    }
}

/// Event loops for one test.
func withLoops<Value>(_ threads: Int = 2, _ body: (MultiThreadedEventLoopGroup) async throws -> Value) async throws
    -> Value
{
    let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
    do {
        let value = try await body(group)
        try await group.shutdownGracefully()
        return value
    } catch {
        try await group.shutdownGracefully()
        throw error
    }
}

/// A listening socket on loopback.
func listen() throws -> (descriptor: CInt, port: Int) {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let made = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(descriptor, address, length) == 0 && Glibc.listen(descriptor, 128) == 0
                && getsockname(descriptor, address, &length) == 0
        }
    }
    try #require(made)
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
}

/// A plain client connection that says exactly what it is told. Blocking, with a limit on its patience.
final class RawConnection {
    let descriptor: CInt

    init(port: Int) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(connected)
    }

    deinit { close(descriptor) }

    /// Sends; false when the other end does not take it any more.
    @discardableResult
    func say(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func say(_ text: String) -> Bool { say(Array(text.utf8)) }

    /// All until the other end closes.
    func rest() -> String {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count <= 0 { break }
            all += chunk[..<count]
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// What comes until `count` answers with bodies are complete.
    func answers(_ count: Int) -> [String] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let found = Self.split(String(decoding: all, as: UTF8.self))
            if found.count >= count { return found }
            let got = recv(descriptor, &chunk, chunk.count, 0)
            if got <= 0 { return found }
            all += chunk[..<got]
        }
    }

    private static func split(_ text: String) -> [String] {
        var found: [String] = []
        var rest = text[...]
        while let end = rest.range(of: "\r\n\r\n") {
            let header = rest[..<end.lowerBound]
            let length =
                header.split(separator: "\r\n").first { $0.hasPrefix("content-length: ") }
                .flatMap { Int($0.dropFirst(16)) } ?? 0
            let body = rest[end.upperBound...]
            guard body.utf8.count >= length else { break }
            let stop = body.utf8.index(body.startIndex, offsetBy: length)
            found.append(String(rest[..<stop]))
            rest = rest[stop...]
        }
        return found
    }
}

extension StringProtocol {
    func range(of needle: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}

/// Answers by a closure.
struct ClosureHandler: HTTPHandler {
    let body: @Sendable (HTTPRequest, HTTPResponder) -> Void

    init(_ body: @escaping @Sendable (HTTPRequest, HTTPResponder) -> Void) { self.body = body }

    static let echo = ClosureHandler { request, respond in respond(HTTPResponse(body: request.body)) }

    func handle(_ request: HTTPRequest, respond: HTTPResponder) { body(request, respond) }
}

/// Log lines, kept for the test.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(lines: self) }
        logger.logLevel = .debug
        return logger
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            lines.lines.withLock { $0.append("\(event.message) \(fields.joined(separator: " "))") }
        }
    }
}

/// Waits, in small steps and not for ever, until `condition` holds.
func eventually(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<5000 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return condition()
}

/// A reproducible source of bytes for malformed input (SplitMix64).
struct TestRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
