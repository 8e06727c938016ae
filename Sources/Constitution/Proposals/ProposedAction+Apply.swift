internal import Attestation
internal import Primitives

extension ProposedAction {
    /// Makes the change on a document. Whether the result makes sense as a whole is for
    /// ``ConstitutionDocument/problems()`` to say, after all actions of a proposal; here is checked that what shall change
    /// is there.
    /// - Throws: ``ConstitutionError`` whose path starts with `path`.
    func apply(to document: inout ConstitutionDocument, path: String) throws(ConstitutionError) {
        switch self {
        case .setActor(let actor): try Self.set(actor, in: &document, path)
        case .removeActor(let id, let role): try Self.remove(id, role, from: &document, path)
        case .setNode(let node):
            guard !document.nodes.contains(where: { $0.nodeID == node.entry.nodeID }) else {
                throw .duplicate(path, "node \(node.entry.nodeID) is on the VN list; replace_node changes it")
            }
            document.nodes.append(node.entry)
        case .removeNode(let id):
            document.nodes.remove(at: try Self.place(of: id, in: document, path))
        case .replaceNode(let id, let node):
            let place = try Self.place(of: id, in: document, path)
            guard document.nodes[place] != node.entry else { throw .duplicate(path, "the node is as it was") }
            document.nodes[place] = node.entry
        case .addCode(let entry):
            document.code.entries.removeAll { $0.isSameCode(as: entry) }
            document.code.entries.append(entry)
        case .removeCode(let role, let platform, let measurement):
            let count = document.code.entries.count
            document.code.entries.removeAll {
                $0.role == role && $0.platform == platform && $0.measurement == measurement
            }
            guard document.code.entries.count < count else {
                throw .unknown(path, "the code manifest has no such entry")
            }
        case .setPlatform(let rule):
            document.tee.rules.removeAll { $0.platform == rule.platform }
            document.tee.rules.append(rule)
        case .removePlatform(let platform):
            guard document.tee.rule(for: platform) != nil else {
                throw .unknown(path, "the TEE manifest does not list \(platform)")
            }
            document.tee.rules.removeAll { $0.platform == platform }
        case .setSoftwareKey(let key):
            guard !document.tee.softwareKeys.contains(key) else {
                throw .duplicate(path, "the platform key is on the TEE manifest")
            }
            document.tee.softwareKeys.append(key)
        case .removeSoftwareKey(let key):
            guard document.tee.softwareKeys.contains(key) else {
                throw .unknown(path, "the TEE manifest lists no such platform key of \(key.owner)")
            }
            document.tee.softwareKeys.removeAll { $0 == key }
        case .setVotingPolicy(nil, let policy): document.voting.standard = policy
        case .setVotingPolicy(let action?, let policy):
            document.voting.exceptions.removeAll { $0.action == action }
            document.voting.exceptions.append(.init(action: action, policy: policy))
        case .removeVotingPolicy(let action):
            guard document.voting.exceptions.contains(where: { $0.action == action }) else {
                throw .unknown(path, "\(action.rawValue) has no policy of its own")
            }
            document.voting.exceptions.removeAll { $0.action == action }
        case .setParameters, .removeParameters: try applySettings(to: &document, path)
        case .setAdapter, .upgradeAdapter, .removeAdapter: try applyAdapter(to: &document, path)
        case .renewCertificates(let renewal):
            for id in renewal.nodes ?? [] { _ = try Self.place(of: id, in: document, path) }
        case .setOpen(let isOpen):
            guard document.isOpen != isOpen else {
                throw .duplicate(path, "the network is \(isOpen ? "open" : "closed") already")
            }
            document.isOpen = isOpen
        case .removeEntry(let map, let key):
            let count = document.unknown.count
            document.unknown.removeAll { $0.map == map && $0.key == key }
            guard document.unknown.count < count else {
                throw .unknown(path, "there is no such entry among those that this build does not know")
            }
        }
    }

    private static func set(
        _ actor: Actor, in document: inout ConstitutionDocument, _ path: String
    ) throws(ConstitutionError) {
        guard let place = document.actors.firstIndex(where: { $0.id == actor.id }) else {
            document.actors.append(actor)
            return
        }
        guard document.actors[place].role == actor.role else {
            throw .duplicate(
                path, "\(actor.id) is a \(document.actors[place].isMember ? "member" : "participant"); remove it first")
        }
        document.actors[place] = actor
    }

    private static func remove(
        _ id: String, _ role: Actor.Role, from document: inout ConstitutionDocument, _ path: String
    ) throws(ConstitutionError) {
        guard document.actors.contains(where: { $0.id == id && $0.role == role }) else {
            throw .unknown(path, "there is no \(role == .member ? "member" : "participant") \(id)")
        }
        document.actors.removeAll { $0.id == id }
        // They vouch for nobody's nodes any more.
        document.tee.softwareKeys.removeAll { $0.owner == id }
    }

    private static func place(
        of nodeID: String, in document: ConstitutionDocument, _ path: String
    ) throws(ConstitutionError) -> Int {
        guard let place = document.nodes.firstIndex(where: { $0.nodeID == nodeID }) else {
            throw .unknown(path, "the VN list has no node \(nodeID)")
        }
        return place
    }

    private func applySettings(
        to document: inout ConstitutionDocument, _ path: String
    ) throws(ConstitutionError) {
        if case .setParameters(let values) = self {
            for value in values {
                guard let setting = Setting(name: value.name) else {
                    throw .unknown(path, "this build has no parameter \(value.name)")
                }
                try setting.apply(value.value, to: &document, path: "\(path).\(value.name)")
            }
        }
        if case .removeParameters(let names) = self {
            for name in names {
                guard let setting = Setting(name: name), let value = setting.defaultValue else {
                    throw .unknown(path, "\(name) has no default")
                }
                try setting.apply(value, to: &document, path: "\(path).\(name)")
            }
        }
    }

    private func applyAdapter(to document: inout ConstitutionDocument, _ path: String) throws(ConstitutionError) {
        switch self {
        case .setAdapter(let adapter):
            guard !document.adapters.contains(where: { $0.endpoint == adapter.endpoint }) else {
                throw .duplicate(path, "there is an adapter \(adapter.endpoint); upgrade_adapter changes it")
            }
            document.adapters.append(adapter)
        case .upgradeAdapter(let adapter):
            guard let place = document.adapters.firstIndex(where: { $0.endpoint == adapter.endpoint }) else {
                throw .unknown(path, "there is no adapter \(adapter.endpoint)")
            }
            document.adapters[place] = adapter
        case .removeAdapter(let endpoint):
            guard document.adapters.contains(where: { $0.endpoint == endpoint }) else {
                throw .unknown(path, "there is no adapter \(endpoint)")
            }
            document.adapters.removeAll { $0.endpoint == endpoint }
        default: break
        }
    }
}

extension CodeManifest.Entry {
    /// Whether it is about the same code, whatever that is called.
    func isSameCode(as other: Self) -> Bool {
        role == other.role && platform == other.platform && measurement == other.measurement
    }
}
