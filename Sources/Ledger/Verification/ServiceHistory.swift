internal import Identity
internal import Store

/// Who may sign at each point of a ledger, by its own public maps.
struct ServiceHistory {
    private struct Node {
        var status: NodeStatus
        /// The self-signed certificate that CCF 1 kept with the status.
        var ownCertificate: String?
    }

    private(set) var status: ServiceStatus?
    private(set) var certificate: X509Certificate?
    private var nodes: [[UInt8]: Node] = [:]
    private var endorsed: [[UInt8]: String] = [:]
    private var parsed: [[UInt8]: X509Certificate] = [:]

    /// Takes in the public maps of an entry.
    /// - Throws: ``LedgerError/malformed(_:file:line:)``, ``LedgerError/untrusted(_:file:line:)``.
    mutating func apply(_ tables: WriteSet) throws(LedgerError) {
        if let service = tables[Tables.service] { try apply(service: service) }
        if let changes = tables[Tables.nodes] {
            for write in changes.writes {
                guard let node = ServiceTables.node(write.value) else {
                    throw .malformed("a row of \(Tables.nodes) holds no node status")
                }
                nodes[write.key] = Node(status: node.status, ownCertificate: node.certificate)
                if node.certificate != nil, endorsed[write.key] == nil { parsed[write.key] = nil }
            }
            for key in changes.removes {
                nodes[key] = nil
                parsed[key] = nil
            }
        }
        if let changes = tables[Tables.endorsedCertificates] {
            for write in changes.writes {
                guard let pem = String(validating: write.value, as: UTF8.self) else {
                    throw .malformed("a row of \(Tables.endorsedCertificates) is no text")
                }
                endorsed[write.key] = pem
                parsed[write.key] = nil
            }
            for key in changes.removes {
                endorsed[key] = nil
                parsed[key] = nil
            }
        }
    }

    private mutating func apply(service: MapWrites) throws(LedgerError) {
        guard let value = service[Tables.singleton], let row = ServiceTables.service(value) else {
            throw .malformed("\(Tables.service) holds no service status")
        }
        if let status, !status.allows(row.status) {
            throw .untrusted("the service goes from \(status.rawValue) to \(row.status.rawValue)")
        }
        do { certificate = try X509Certificate(pem: row.certificate) } catch {
            throw .malformed("the service's certificate: \(error)")
        }
        status = row.status
        parsed = [:]
    }

    /// The certificate of a node that may sign now.
    /// - Parameter isStrict: whether only certificates that the service issued count; CCF 1 had others.
    /// - Throws: ``LedgerError/untrusted(_:file:line:)``.
    mutating func signer(_ nodeID: String, isStrict: Bool) throws(LedgerError) -> X509Certificate {
        let key = Array(nodeID.utf8)
        guard let node = nodes[key] else { throw .untrusted("the signing node \(nodeID) is not in the network") }
        guard node.status != .pending else { throw .untrusted("the signing node \(nodeID) is not trusted yet") }
        if let certificate = parsed[key] { return certificate }
        guard let service = certificate else { throw .untrusted("there is no service that could endorse a node") }
        let certificate: X509Certificate
        do {
            if let pem = endorsed[key] {
                certificate = try X509Certificate(pem: pem)
                guard certificate.isSigned(by: service.publicKey) else {
                    throw LedgerError.untrusted("the service does not endorse the certificate of node \(nodeID)")
                }
            } else if let pem = node.ownCertificate, !isStrict {
                certificate = try X509Certificate(pem: pem)
            } else {
                throw LedgerError.untrusted("node \(nodeID) has no certificate")
            }
        } catch let error as LedgerError { throw error } catch {
            throw .untrusted("the certificate of node \(nodeID): \(error)")
        }
        // CCF 1 named nodes by another digest, so this binding holds for our own ledgers.
        guard !isStrict || certificate.publicKey.id == nodeID else {
            throw .untrusted("the certificate of node \(nodeID) has another key")
        }
        parsed[key] = certificate
        return certificate
    }
}
