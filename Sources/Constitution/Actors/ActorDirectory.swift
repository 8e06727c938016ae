internal import Identity

/// Why a certificate chain stands for no actor.
public enum ActorRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is no certificate.
    case noCertificate
    /// There are more certificates than a chain may have.
    case chainTooLong
    /// A certificate can't be read.
    case malformed(String)
    /// The certificate is known or leads to an organisation, but is not valid now.
    case notValidNow
    /// The certificate may not be used to authenticate a client.
    case wrongUse
    /// The certificate is nobody's.
    case unknown
    /// The certificate leads to an organisation, but is not of the department that acts for the actor.
    case otherDepartment
    /// The certificate leads to several actors.
    case ambiguous

    /// For logs and answers.
    public var description: String {
        switch self {
        case .noCertificate: "no certificate"
        case .chainTooLong: "a certificate chain that is too long"
        case .malformed(let reason): "a malformed certificate: \(reason)"
        case .notValidNow: "the certificate is expired or not valid yet"
        case .wrongUse: "the certificate is not for client authentication"
        case .unknown: "the certificate is no actor's and leads to no actor's organisation"
        case .otherDepartment: "the certificate is of another department of the organisation"
        case .ambiguous: "the certificate leads to several actors"
        }
    }
}

/// Finds actors by certificates; made once for each constitution.
struct ActorDirectory: Sendable {
    private struct Authority: Sendable {
        let certificate: X509Certificate
        let actor: Int
    }

    private let actors: [Actor]
    /// Places in `actors` by id. Only looked up, never iterated.
    private var places: [String: Int] = [:]
    /// Places in `actors` by the DER form of end-entity certificates. Only looked up, never iterated.
    private var endEntities: [[UInt8]: Int] = [:]
    private var authorities: [Authority] = []

    init(_ actors: [Actor]) {
        self.actors = actors
        for (index, actor) in actors.enumerated() {
            places[actor.id] = index
            for certificate in actor.certificates {
                switch certificate.kind {
                case .endEntity: endEntities[certificate.der] = index
                case .organisation:
                    guard let parsed = try? X509Certificate(der: certificate.der) else { continue }
                    authorities.append(Authority(certificate: parsed, actor: index))
                }
            }
        }
    }

    func actor(_ id: String) -> Actor? { places[id].map { actors[$0] } }

    func actor(_ chain: [[UInt8]], at time: UInt64) throws(ActorRefusal) -> Actor {
        guard let der = chain.first else { throw .noCertificate }
        guard chain.count <= CertificateChain.intermediateCountMax + 1 else { throw .chainTooLong }
        let leaf = try Self.parse(der)
        if let index = endEntities[der] {
            guard leaf.isValid(at: time) else { throw .notValidNow }
            guard CertificateUse.mayAuthenticate(der: der) else { throw .wrongUse }
            return actors[index]
        }
        // An authority signs for others; it does not come itself.
        guard !leaf.isAuthority else { throw .unknown }
        var intermediates: [X509Certificate] = []
        for der in chain.dropFirst() { intermediates.append(try Self.parse(der)) }
        let index = try organisation(of: leaf, intermediates, at: time)
        if let department = actors[index].department, !department.admits(der: der) { throw .otherDepartment }
        guard CertificateUse.mayAuthenticate(der: der) else { throw .wrongUse }
        return actors[index]
    }

    /// The actor whose authority is nearest above the leaf: one organisation may have its authority certified by
    /// another's.
    private func organisation(
        of leaf: X509Certificate, _ intermediates: [X509Certificate], at time: UInt64
    ) throws(ActorRefusal) -> Int {
        var isExpired = false
        for count in 0...intermediates.count {
            var found: Int?
            for authority in authorities {
                do {
                    try CertificateChain.validate(
                        leaf: leaf, intermediates: Array(intermediates.prefix(count)), anchor: authority.certificate,
                        at: time)
                } catch {
                    if error == .notValidNow(""), leaf.isSigned(by: authority.certificate.publicKey) {
                        isExpired = true
                    }
                    continue
                }
                if let found, found != authority.actor { throw .ambiguous }
                found = authority.actor
            }
            if let found { return found }
        }
        throw isExpired ? .notValidNow : .unknown
    }

    private static func parse(_ der: [UInt8]) throws(ActorRefusal) -> X509Certificate {
        do { return try X509Certificate(der: der) } catch { throw .malformed(error.reason) }
    }
}
