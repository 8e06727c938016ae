public import Constitution
internal import Identity
internal import Primitives

/// A proposal as people write it: short YAML beside the certificates and node files that it brings. It becomes the JSON
/// that a proposer signs.
///
/// ```yaml
/// title: Admit bank-d
/// ballot: for
/// actions:
///   - set_member: {id: bank-d, certificates: [bank-d.pem]}
///   - set_node: bank-d-1.json
///   - remove_code: {role: worker, platform: software, measurement: "…"}
///   - set_open: false
/// ```
public struct ProposalDocument: Sendable, Hashable {
    /// What it proposes.
    public var proposal: Proposal

    /// Reads a proposal and the files that it names, relative paths taken from its folder.
    /// - Throws: ``ConfigurationError``.
    public init(path: String, files: any FileAccess = DiskFiles()) throws(ConfigurationError) {
        let text = try files.text(path, limit: Proposal.byteCountMax)
        try self.init(yaml: text, folder: Paths.folder(of: path), files: files)
    }

    /// Reads a proposal.
    /// - Parameter folder: where relative paths start.
    /// - Throws: ``ConfigurationError``.
    public init(yaml text: String, folder: String, files: any FileAccess) throws(ConfigurationError) {
        let problems = ProblemList()
        let root = try YAMLValue.parse(text, bytesMax: Proposal.byteCountMax, problems: problems)
        guard let section = root.section else {
            try problems.check()
            throw ConfigurationError("a proposal is a section with `actions`")
        }
        var object = JSONObject()
        for name in ["title", "network", "ballot"] {
            if let text = section[name]?.text { object.append(name, .string(text)) }
        }
        let reader = ActionReader(folder: folder, files: files)
        var actions: [JSON] = []
        for each in section.required("actions")?.list ?? [] {
            if let action = reader.action(each) { actions.append(action) }
        }
        section.finish()
        try problems.check()
        object.append("actions", .array(actions))
        do { proposal = try Proposal(json: JSON.object(object).serialized()) } catch {
            throw ConfigurationError(error.reason, path: error.path)
        }
    }
}

/// Turns one action of a YAML file into the JSON of a proposal.
private struct ActionReader {
    let folder: String
    let files: any FileAccess

    /// Actions with one argument, which may stand alone.
    private static let arguments: [GovernanceAction: String] = [
        .removeMember: "id", .removeParticipant: "id", .removeNode: "nodeID", .removeAdapter: "endpoint",
        .setPlatform: "platform", .removePlatform: "platform", .removeVotingPolicy: "action", .setOpen: "open",
    ]

    func action(_ value: YAMLValue) -> JSON? {
        guard let section = value.section else { return nil }
        let all = section.all
        // The form that is signed, as other tools make it.
        if all.contains(where: { $0.name == "name" }) { return json(value) }
        guard all.count == 1, let (name, args) = all.first else {
            value.fail("an action is one name with its arguments, such as `set_open: false`")
            return nil
        }
        guard let action = GovernanceAction(rawValue: name) else {
            args.fail(
                "there is no such action; known are \(GovernanceAction.allCases.map(\.rawValue).joined(separator: ", "))"
            )
            return nil
        }
        guard let json = arguments(action, args) else { return nil }
        return ["name": .string(name), "args": json]
    }

    private func arguments(_ action: GovernanceAction, _ value: YAMLValue) -> JSON? {
        switch action {
        case .setNode where value.isScalar: return jsonFile(value)
        case .removeParameters where !value.isScalar && value.list.allSatisfy(\.isScalar):
            return json(value).map { ["names": $0] }
        case .setMember, .setParticipant, .replaceNode, .setAdapter, .upgradeAdapter:
            guard let section = value.section else { return nil }
            var object = JSONObject()
            for (name, value) in section.all {
                switch name {
                case "certificates", "organisations":
                    object.append(name, .array(value.list.compactMap(certificate)))
                case "node" where value.isScalar: if let json = jsonFile(value) { object.append(name, json) }
                case "outside": object.append(name, .array(value.list.compactMap(service)))
                case "settingsFile": if let json = jsonFile(value) { object.append("settings", json) }
                default: if let json = json(value) { object.append(name, json) }
                }
            }
            return .object(object)
        default:
            guard value.isScalar, let name = Self.arguments[action] else { return json(value) }
            return json(value).map { .object(JSONObject([.init(name: name, value: $0)])) }
        }
    }

    /// A service outside, whose authorities may be given by the paths of their files.
    private func service(_ value: YAMLValue) -> JSON? {
        guard let section = value.section else { return nil }
        var object = JSONObject()
        for (name, value) in section.all {
            if name == "authorities" {
                object.append(name, .array(value.list.compactMap(authority)))
            } else if let json = json(value) {
                object.append(name, json)
            }
        }
        return .object(object)
    }

    /// A certificate with any kind of key, in place or by its file.
    private func authority(_ value: YAMLValue) -> JSON? {
        guard let text = value.text else { return nil }
        if text.hasPrefix("-----BEGIN") { return .string(text) }
        guard let bytes = bytes(value, limit: X509Certificate.byteCountMax) else { return nil }
        if bytes.first == 0x30 { return .string(PEM.encode(bytes, label: "CERTIFICATE")) }
        return .string(String(decoding: bytes, as: UTF8.self))
    }

    private func json(_ value: YAMLValue) -> JSON? {
        do { return try value.json() } catch {
            value.fail(error.problems.first?.reason ?? "it can't be read")
            return nil
        }
    }

    private func bytes(_ value: YAMLValue, limit: Int) -> [UInt8]? {
        guard let path = value.text else { return nil }
        do { return try files.read(Paths.resolve(path, against: folder), limit: limit) } catch {
            value.fail(error.problems.first?.reason ?? "it can't be read")
            return nil
        }
    }

    private func jsonFile(_ value: YAMLValue) -> JSON? {
        guard let bytes = bytes(value, limit: Proposal.byteCountMax) else { return nil }
        do {
            return try JSON(
                parsing: bytes, limits: JSONLimits(bytesMax: Proposal.byteCountMax, depthMax: 64, valuesMax: 1 << 16))
        } catch {
            value.fail("the file is no JSON: \(error)")
            return nil
        }
    }

    /// A certificate in PEM: given in place, or by the path of a PEM or DER file.
    private func certificate(_ value: YAMLValue) -> JSON? {
        guard let text = value.text else { return nil }
        if text.hasPrefix("-----BEGIN") { return .string(text) }
        guard let bytes = bytes(value, limit: X509Certificate.byteCountMax) else { return nil }
        do {
            if bytes.first == 0x30 { return .string(try X509Certificate(der: bytes).pem) }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                value.fail("it is neither PEM nor DER")
                return nil
            }
            return .string(try X509Certificate(pem: text).pem)
        } catch {
            value.fail("it is no certificate: \(error.reason)")
            return nil
        }
    }
}
