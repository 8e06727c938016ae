internal import Logging
internal import NIOCore
internal import NIOSSL

/// Builds NIOSSL contexts and handlers from our settings; the one place where TLS parameters are chosen.
enum TLSContext {
    /// A server's context: TLS 1.3, client certificate demanded. Which certificates are accepted is the handler's
    /// verifier's business, so no trust roots are set.
    static func server(
        _ identity: TLSIdentity, keyLog: NIOSSLKeyLogCallback? = nil
    ) throws(TransportError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: identity.chain.map { .certificate($0) }, privateKey: .privateKey(identity.key))
        configuration.minimumTLSVersion = .tlsv13
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .certificates([])
        configuration.keyLogCallback = keyLog
        return try make(configuration)
    }

    /// A client's context: TLS 1.3.
    static func client(
        _ settings: TLSClientSettings, keyLog: NIOSSLKeyLogCallback? = nil
    ) throws(TransportError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        configuration.certificateVerification = .noHostnameVerification
        if let identity = settings.identity {
            configuration.certificateChain = identity.chain.map { .certificate($0) }
            configuration.privateKey = .privateKey(identity.key)
        }
        switch settings.trust {
        case .authorities(let certificates), .named(_, let certificates):
            if case .named = settings.trust { configuration.certificateVerification = .fullVerification }
            do {
                let roots = try certificates.map { try NIOSSLCertificate(bytes: $0, format: .der) }
                configuration.trustRoots = .certificates(roots)
            } catch {
                throw .invalidTrust("an authority's certificate is not valid DER")
            }
        case .verifier:
            configuration.trustRoots = .certificates([])
        }
        configuration.keyLogCallback = keyLog
        return try make(configuration)
    }

    private static func make(_ configuration: TLSConfiguration) throws(TransportError) -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw .invalidIdentity("certificate chain and private key do not fit: \(error)")
        }
    }

    /// A server-side handler whose verifier is asked once per handshake.
    static func serverHandler(
        _ context: NIOSSLContext, verifier: PeerVerifier, outcome: @escaping @Sendable (PeerOutcome) -> Void
    ) -> NIOSSLServerHandler {
        NIOSSLServerHandler(context: context, customVerificationCallback: callback(verifier, outcome))
    }

    /// A client-side handler; with authorities NIOSSL verifies and `outcome` is not called.
    static func clientHandler(
        _ context: NIOSSLContext, trust: ServerTrust, outcome: @escaping @Sendable (PeerOutcome) -> Void
    ) throws(TransportError) -> NIOSSLClientHandler {
        do {
            switch trust {
            case .authorities:
                return try NIOSSLClientHandler(context: context, serverHostname: nil)
            case .named(let name, _):
                return try NIOSSLClientHandler(context: context, serverHostname: name)
            case .verifier(let verifier):
                return try NIOSSLClientHandler(
                    context: context, serverHostname: nil, customVerificationCallback: callback(verifier, outcome))
            }
        } catch {
            throw .handshake("\(error)")
        }
    }

    private static func callback(
        _ verifier: PeerVerifier, _ outcome: @escaping @Sendable (PeerOutcome) -> Void
    ) -> NIOSSLCustomVerificationCallback {
        { certificates, promise in
            let chain: [[UInt8]]
            do {
                chain = try certificates.map { try $0.toDERBytes() }
            } catch {
                outcome(PeerOutcome(chain: [], verdict: .refused(reason: "the certificate can't be encoded")))
                return promise.succeed(.failed)
            }
            let eventLoop = promise.futureResult.eventLoop
            verifier.decide(chain) { verdict in
                let finish: @Sendable () -> Void = {
                    outcome(PeerOutcome(chain: chain, verdict: verdict))
                    switch verdict {
                    case .accepted: promise.succeed(.certificateVerified)
                    case .refused: promise.succeed(.failed)
                    }
                }
                if eventLoop.inEventLoop { finish() } else { eventLoop.execute(finish) }
            }
        }
    }
}

/// What came of asking the verifier.
struct PeerOutcome: Sendable {
    let chain: [[UInt8]]
    let verdict: PeerVerdict
}

/// Text of a TLS failure for the log: BoringSSL's own words, which hold no secret.
func describeTLSFailure(_ error: any Error) -> String {
    if let error = error as? NIOSSLError {
        switch error {
        case .handshakeFailed(let reason): return "\(reason)"
        case .uncleanShutdown: return "the peer went away"
        default: return "\(error)"
        }
    }
    return "\(error)"
}
