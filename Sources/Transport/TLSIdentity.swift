internal import NIOSSL

/// Who we are in a TLS handshake: a certificate chain and the private key of its first certificate.
public struct TLSIdentity: Sendable {
    let chain: [NIOSSLCertificate]
    let key: NIOSSLPrivateKey

    /// An identity from DER.
    /// - Parameters:
    ///   - certificateChain: the leaf first, then the certificates that lead to the peer's trust anchor.
    ///   - privateKey: PKCS #8 or SEC 1 DER of the leaf's key.
    /// - Throws: ``TransportError/invalidIdentity(_:)``; the error holds nothing of the key.
    public init(certificateChain: [[UInt8]], privateKey: [UInt8]) throws(TransportError) {
        guard !certificateChain.isEmpty else { throw .invalidIdentity("no certificate") }
        do {
            chain = try certificateChain.map { try NIOSSLCertificate(bytes: $0, format: .der) }
        } catch {
            throw .invalidIdentity("a certificate is not valid DER")
        }
        do {
            key = try NIOSSLPrivateKey(bytes: privateKey, format: .der)
        } catch {
            throw .invalidIdentity("the private key is neither PKCS #8 nor SEC 1 DER")
        }
    }

    /// An identity from PEM texts.
    /// - Parameters:
    ///   - certificateChainPEM: one or more certificates, the leaf first.
    ///   - privateKeyPEM: the leaf's key, not encrypted.
    /// - Throws: ``TransportError/invalidIdentity(_:)``; the error holds nothing of the key.
    public init(certificateChainPEM: [UInt8], privateKeyPEM: [UInt8]) throws(TransportError) {
        do {
            chain = try NIOSSLCertificate.fromPEMBytes(certificateChainPEM)
        } catch {
            throw .invalidIdentity("the certificates are not valid PEM")
        }
        guard !chain.isEmpty else { throw .invalidIdentity("no certificate") }
        do {
            key = try NIOSSLPrivateKey(bytes: privateKeyPEM, format: .pem)
        } catch {
            throw .invalidIdentity("the private key is not valid PEM")
        }
    }
}

/// What a verifier says of a peer's certificate chain.
public enum PeerVerdict: Sendable {
    /// The peer may connect. `session` is attached to the connection, for example the resolved actor.
    case accepted(session: (any Sendable)? = nil)
    /// The peer may not; the reason is logged here and never told to the peer.
    case refused(reason: String)
}

/// Decides, inside the TLS handshake, whether a peer's certificate chain is acceptable. TLS itself proves that the
/// peer holds the key of the first certificate; everything else (issuer, dates, purpose, constitution) is decided here.
public struct PeerVerifier: Sendable {
    /// What decides: gets the chain as DER in the order the peer sent it, leaf first, and calls `verdict` once, from any
    /// thread, within the handshake's time limit.
    public typealias Decide =
        @Sendable (_ chain: [[UInt8]], _ verdict: @escaping @Sendable (PeerVerdict) -> Void) -> Void

    let decide: Decide

    /// A verifier that may take its time elsewhere. It is called on the connection's event loop and must not block.
    public init(deciding decide: @escaping Decide) { self.decide = decide }

    /// A verifier that answers at once. It is called on the connection's event loop and must not block.
    public init(_ verdict: @escaping @Sendable (_ chain: [[UInt8]]) -> PeerVerdict) {
        decide = { chain, answer in answer(verdict(chain)) }
    }
}

/// How a client decides whether it talks to the right server.
public enum ServerTrust: Sendable {
    /// The chain must lead to one of these certificates (DER) and be valid now; names are not compared, since a node is
    /// known by its key and by who endorsed it, not by its address.
    case authorities([[UInt8]])
    /// The same, and the certificate must be for this DNS name: for services outside the network.
    case named(String, authorities: [[UInt8]])
    /// Everything is decided by the verifier.
    case verifier(PeerVerifier)
}

/// TLS settings of a listener. Version 1.3 only; a client certificate is demanded.
public struct TLSServerSettings: Sendable {
    /// What the server shows.
    public var identity: TLSIdentity
    /// Who may connect.
    public var verifier: PeerVerifier

    /// Settings of a listener.
    public init(identity: TLSIdentity, verifier: PeerVerifier) {
        self.identity = identity
        self.verifier = verifier
    }
}

/// TLS settings of a client. Version 1.3 only.
public struct TLSClientSettings: Sendable {
    /// What the client shows when asked, if anything.
    public var identity: TLSIdentity?
    /// Which servers it accepts.
    public var trust: ServerTrust

    /// Settings of a client.
    public init(identity: TLSIdentity?, trust: ServerTrust) {
        self.identity = identity
        self.trust = trust
    }
}
