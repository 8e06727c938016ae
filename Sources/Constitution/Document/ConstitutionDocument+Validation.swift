internal import Attestation
internal import Identity
internal import Primitives

extension ConstitutionDocument {
    /// The same document with its lists in their one order. Adapters keep theirs, which means something.
    package func sorted() -> ConstitutionDocument {
        var copy = self
        copy.actors.sort { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
        copy.nodes.sort { $0.nodeID < $1.nodeID }
        copy.code.entries.sort {
            ($0.role.rawValue, $0.platform.code, Hex.encode($0.measurement))
                < ($1.role.rawValue, $1.platform.code, Hex.encode($1.measurement))
        }
        copy.tee.rules.sort { $0.platform.code < $1.platform.code }
        copy.tee.softwareKeys.sort { ($0.owner, Hex.encode($0.key)) < ($1.owner, Hex.encode($1.key)) }
        copy.voting.exceptions.sort { $0.action.rawValue < $1.action.rawValue }
        copy.unknown.sort { ($0.map, Hex.encode($0.key)) < ($1.map, Hex.encode($1.key)) }
        return copy
    }

    /// Everything that keeps the document from being a constitution, in the order of the document; empty when nothing
    /// does. A network founded on a document without problems can run, agree and decide.
    public func problems() -> [ConstitutionError] {
        var problems: [ConstitutionError] = []
        if !Names.isTitle(name) { problems.append(.malformed("name", "a name takes 1 to 128 bytes of plain text")) }
        checkActors(&problems)
        checkNodes(&problems)
        checkCode(&problems)
        checkPlatforms(&problems)
        checkVoting(&problems)
        checkConsensus(&problems)
        checkAdapters(&problems)
        if unknown.count > Limits.unknownMax {
            problems.append(.outOfRange("unknown", "more than \(Limits.unknownMax) entries"))
        }
        return problems
    }

    private func path(of actor: Actor, _ index: Int) -> String {
        let list = actor.isMember ? "members" : "participants"
        return Names.isActorID(actor.id) ? "\(list)[\(actor.id)]" : "\(list)[\(index)]"
    }

    private func checkActors(_ problems: inout [ConstitutionError]) {
        guard actors.count <= Limits.actorsMax else {
            return problems.append(.outOfRange("members", "more than \(Limits.actorsMax) actors"))
        }
        if members.isEmpty { problems.append(.missing("members", "a network takes at least one member")) }
        var ids: Set<String> = []
        var owners: [PublicKey: String] = [:]
        for (index, actor) in actors.enumerated() {
            let path = path(of: actor, index)
            if !Names.isActorID(actor.id) {
                problems.append(
                    .malformed("\(path).id", "an id takes 1 to 64 of a-z, 0-9, -, _ and ., the first a letter or digit")
                )
            }
            if !ids.insert(actor.id).inserted { problems.append(.duplicate("\(path).id", "the id is there twice")) }
            if actor.certificates.isEmpty {
                problems.append(.missing("\(path).certificates", "an actor is known by at least one certificate"))
            }
            if let problem = actor.groupProblem(path: path) { problems.append(problem) }
            if actor.certificates.count > Limits.certificatesMax {
                problems.append(.outOfRange("\(path).certificates", "more than \(Limits.certificatesMax)"))
                continue
            }
            for (place, certificate) in actor.certificates.enumerated() {
                check(certificate, of: actor, at: "\(path).certificates[\(place)]", &owners, &problems)
            }
        }
    }

    private func check(
        _ certificate: Actor.Certificate, of actor: Actor, at path: String, _ owners: inout [PublicKey: String],
        _ problems: inout [ConstitutionError]
    ) {
        let parsed: X509Certificate
        do { parsed = try X509Certificate(der: certificate.der) } catch {
            return problems.append(.malformed(path, error.reason))
        }
        if certificate.kind == .organisation, !parsed.isAuthority {
            problems.append(
                .malformed(path, "an organisation's certificate must be an authority's (basic constraints)"))
        }
        if certificate.kind == .endEntity, !CertificateUse.mayAuthenticate(der: certificate.der) {
            problems.append(
                .malformed(path, "the certificate's key usage does not allow signatures or client authentication"))
        }
        if let other = owners.updateValue(actor.id, forKey: parsed.publicKey), other != actor.id {
            problems.append(.duplicate(path, "the key is also that of \(other)"))
        }
    }

    private func checkNodes(_ problems: inout [ConstitutionError]) {
        guard nodes.count <= Limits.nodesMax else {
            return problems.append(.outOfRange("nodes", "more than \(Limits.nodesMax) nodes"))
        }
        if nodes.isEmpty { problems.append(.missing("nodes", "a network takes at least one node")) }
        var addresses: Set<String> = []
        var ids: Set<String> = []
        for (index, node) in nodes.enumerated() {
            let path = "nodes[\(index)]"
            if Names.split(address: node.address) == nil {
                problems.append(.malformed("\(path).address", "an address is host:port"))
            } else if !addresses.insert(node.address.lowercased()).inserted {
                problems.append(.duplicate("\(path).address", "two nodes have the address \(node.address)"))
            }
            if !ids.insert(node.nodeID).inserted {
                problems.append(.duplicate("\(path).publicKey", "two nodes have the key of node \(node.nodeID)"))
            }
            if (try? PublicKey(spki: node.publicKey))?.curve != .p256 {
                problems.append(.malformed("\(path).publicKey", "a node's key is a P-256 key as SubjectPublicKeyInfo"))
            }
            guard let owner = actors.first(where: { $0.id == node.owner }) else {
                problems.append(.unknown("\(path).owner", "there is no actor of the owner's name"))
                continue
            }
            if !node.isSigned(by: owner) {
                problems.append(
                    .badSignature("\(path).signature", "no key of \(owner.id) signed this owner, address and key"))
            }
            if tee.rules.map(\.platform) == [.software], !tee.softwareKeys.contains(where: { $0.owner == owner.id }) {
                problems.append(
                    .missing("tee.softwareKeys", "no platform key of \(owner.id), so its nodes could never be admitted")
                )
            }
        }
    }

    private func checkCode(_ problems: inout [ConstitutionError]) {
        guard code.entries.count <= Limits.codeMax else {
            return problems.append(.outOfRange("code", "more than \(Limits.codeMax) entries"))
        }
        var seen: Set<String> = []
        for (index, entry) in code.entries.enumerated() {
            let path = "code[\(index)]"
            if !Names.isTitle(entry.name) {
                problems.append(.malformed("\(path).name", "1 to 128 bytes of plain text"))
            }
            if !Names.isTitle(entry.version) {
                problems.append(.malformed("\(path).version", "1 to 128 bytes of plain text"))
            }
            if entry.measurement.count != entry.platform.measurementByteCount {
                problems.append(
                    .malformed(
                        "\(path).measurement",
                        "a measurement on \(entry.platform) has \(entry.platform.measurementByteCount) bytes"))
            }
            if tee.rule(for: entry.platform) == nil {
                problems.append(.unknown("\(path).platform", "the TEE manifest does not list \(entry.platform)"))
            }
            if !seen.insert("\(entry.role)/\(entry.platform)/\(entry.measurement)").inserted {
                problems.append(.duplicate("\(path).measurement", "the measurement is there twice for this role"))
            }
        }
        for platform in tee.rules.map(\.platform) {
            let roles = Set(code.entries.filter { $0.platform == platform }.map(\.role))
            if !roles.contains(.combined), !roles.isSuperset(of: [.manager, .worker]) {
                problems.append(
                    .missing("code", "\(platform) takes a manager and a worker, or both combined, or no node can run"))
            }
        }
    }

    private func checkPlatforms(_ problems: inout [ConstitutionError]) {
        if tee.rules.isEmpty { problems.append(.missing("tee.platforms", "a network takes at least one platform")) }
        var platforms: Set<Platform> = []
        for (index, rule) in tee.rules.enumerated() {
            let path = "tee.platforms[\(index)]"
            if !platforms.insert(rule.platform).inserted {
                problems.append(.duplicate(path, "\(rule.platform) is there twice"))
            }
            if rule.platform == .software, !rule.minimumTCB.isEmpty {
                problems.append(.malformed("\(path).minimumTCB", "software has no firmware to ask a version of"))
            }
        }
        guard tee.softwareKeys.count <= Limits.softwareKeysMax else {
            return problems.append(.outOfRange("tee.softwareKeys", "more than \(Limits.softwareKeysMax)"))
        }
        if !tee.softwareKeys.isEmpty, tee.rule(for: .software) == nil {
            problems.append(.unsafe("tee.softwareKeys", "software keys, but software is not among the platforms"))
        }
        var owners: [[UInt8]: ActorID] = [:]
        for (index, key) in tee.softwareKeys.enumerated() {
            let path = "tee.softwareKeys[\(index)]"
            if (try? PlatformKey.publicKey(x963: key.key)) == nil {
                problems.append(.malformed("\(path).key", "a platform key is a point of P-256, 65 bytes"))
            }
            if !actors.contains(where: { $0.id == key.owner }) {
                problems.append(.unknown("\(path).owner", "there is no actor of the owner's name"))
            }
            if let other = owners.updateValue(key.owner, forKey: key.key) {
                problems.append(.duplicate("\(path).key", "the platform key is also listed for \(other)"))
            }
        }
    }

    private func checkVoting(_ problems: inout [ConstitutionError]) {
        var actions: Set<GovernanceAction> = []
        for exception in voting.exceptions where !actions.insert(exception.action).inserted {
            problems.append(
                .duplicate("voting.actions.\(exception.action.rawValue)", "the action is there twice"))
        }
        problems += PolicyCheck(self).refusals()
    }

    private func checkConsensus(_ problems: inout [ConstitutionError]) {
        if !nodes.isEmpty, let reason = consensus.problem(voters: nodes.count) {
            problems.append(.unsafe("consensus.quorums", reason))
        }
        for row in Parameters.table where !row.range.contains(parameters[keyPath: row.path]) {
            problems.append(
                .outOfRange(row.name, "it takes \(row.range.lowerBound) to \(row.range.upperBound) (\(row.summary))"))
        }
        let heartbeat = parameters.heartbeatMilliseconds
        if heartbeat > parameters.electionTimeoutMilliseconds / 2 {
            problems.append(
                .unsafe(
                    "consensus.electionTimeoutMilliseconds",
                    "a follower must wait for at least two heartbeats of \(heartbeat) ms"))
        }
    }

    private func checkAdapters(_ problems: inout [ConstitutionError]) {
        guard adapters.count <= Limits.adaptersMax else {
            return problems.append(.outOfRange("adapters", "more than \(Limits.adaptersMax)"))
        }
        var endpoints: Set<String> = []
        for (index, adapter) in adapters.enumerated() {
            let path = "adapters[\(index)]"
            for (name, text) in [("kind", adapter.kind), ("endpoint", adapter.endpoint)] where !Names.isEndpoint(text) {
                problems.append(.malformed("\(path).\(name)", "it takes 1 to 32 of a-z, 0-9 and -"))
            }
            if ["app", "gov", "node"].contains(adapter.endpoint) {
                problems.append(.malformed("\(path).endpoint", "\(adapter.endpoint) is a path of the framework"))
            }
            // An adapter's maps begin with its endpoint.
            if ["entente", "ccf"].contains(adapter.endpoint) {
                problems.append(.malformed("\(path).endpoint", "\(adapter.endpoint) begins the framework's own maps"))
            }
            if !endpoints.insert(adapter.endpoint).inserted {
                problems.append(.duplicate("\(path).endpoint", "two adapters have the endpoint \(adapter.endpoint)"))
            }
            do {
                let settings = try JSON(
                    parsing: adapter.settings,
                    limits: JSONLimits(bytesMax: Adapter.settingsByteCountMax, depthMax: 64, valuesMax: 1 << 21))
                if settings.object == nil { problems.append(.malformed("\(path).settings", "they are a JSON object")) }
            } catch {
                problems.append(.malformed("\(path).settings", "\(error)"))
            }
            checkOutside(adapter, path, &problems)
        }
    }

    private func checkOutside(_ adapter: Adapter, _ path: String, _ problems: inout [ConstitutionError]) {
        guard adapter.outside.count <= Adapter.outsideMax else {
            return problems.append(.outOfRange("\(path).outside", "more than \(Adapter.outsideMax)"))
        }
        var names: Set<String> = []
        for (index, service) in adapter.outside.enumerated() {
            let path = "\(path).outside[\(index)]"
            for (field, reason) in service.problems { problems.append(.malformed("\(path).\(field)", reason)) }
            if !names.insert(service.name).inserted {
                problems.append(.duplicate("\(path).name", "two services are named \(service.name)"))
            }
        }
    }
}
