internal import Attestation
internal import Constitution
internal import Identity
internal import Primitives

/// Turns the sections of a genesis YAML into a document.
struct GenesisReader {
    let folder: String
    let files: any FileAccess
    var document = ConstitutionDocument(name: "")
    var nodeFiles: [NodeTupleFile] = []

    init(folder: String, files: any FileAccess) {
        self.folder = folder
        self.files = files
    }

    mutating func read(_ root: YAMLSection) {
        if let text = root.required("name")?.text { document.name = text }
        for each in root.required("members")?.list ?? [] { readActor(each, .member) }
        for each in root["participants"]?.list ?? [] { readActor(each, .participant) }
        for each in root.required("nodes")?.list ?? [] { readNode(each) }
        for each in root.required("code")?.list ?? [] { readCode(each) }
        if let section = root.required("tee")?.section { readTEE(section) }
        if let section = root["voting"]?.section { readVoting(section) }
        readParameters(root)
        for each in root["adapters"]?.list ?? [] { readAdapter(each) }
        root.read("replay", &document.replay)
        root.finish()
    }

    /// The content of the file that a value names; nil and a problem if it can't be read.
    private func file(_ value: YAMLValue, limit: Int) -> [UInt8]? {
        guard let path = value.text else { return nil }
        do { return try files.read(Paths.resolve(path, against: folder), limit: limit) } catch {
            value.fail(error.problems.first?.reason ?? "it can't be read")
            return nil
        }
    }

    // MARK: Actors and nodes

    private mutating func readActor(_ value: YAMLValue, _ role: Actor.Role) {
        guard let section = value.section else { return }
        var actor = Actor(id: section.required("id")?.text ?? "", role: role, certificates: [])
        let kinds: [(String, Actor.Certificate.Kind)] = [
            ("certificates", .endEntity), ("organisations", .organisation),
        ]
        for (name, kind) in kinds {
            for each in section[name]?.list ?? [] {
                guard let der = certificate(each) else { continue }
                actor.certificates.append(.init(kind: kind, der: der))
            }
        }
        readGroups(of: &actor, section)
        section.finish()
        document.actors.append(actor)
    }

    private func readGroups(of actor: inout Actor, _ section: YAMLSection) {
        let (department, groups) = (section["department"], section["groups"])
        do {
            try actor.readGroups(department: department?.json(), groups: groups?.json(), path: section.path)
        } catch let error as ConstitutionError {
            section.problems.add(error.path, (department ?? groups)?.line, error.reason)
        } catch { section.problems.add(section.path, section.line, "\(error)") }
    }

    private func certificate(_ value: YAMLValue) -> [UInt8]? {
        guard let bytes = file(value, limit: X509Certificate.byteCountMax) else { return nil }
        do {
            if bytes.first == 0x30 { return try X509Certificate(der: bytes).der }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                value.fail("it is neither PEM nor DER")
                return nil
            }
            return try X509Certificate(pem: text).der
        } catch {
            value.fail("it is no certificate: \(error.reason)")
            return nil
        }
    }

    private mutating func readNode(_ value: YAMLValue) {
        guard let bytes = file(value, limit: NodeTupleFile.byteCountMax) else { return }
        do throws(ConfigurationError) {
            let file = try NodeTupleFile(json: bytes)
            document.nodes.append(try file.entry())
            nodeFiles.append(file)
        } catch {
            for problem in error.problems { value.fail(problem.description) }
        }
    }

    // MARK: Manifests

    private mutating func readCode(_ value: YAMLValue) {
        guard let section = value.section else { return }
        var entry = CodeManifest.Entry(name: "", version: "", role: .manager, platform: .software, measurement: [])
        if let text = section.required("name")?.text { entry.name = text }
        if let text = section.required("version")?.text { entry.version = text }
        if let role = section.required("role")?.choice(CodeManifest.Role.self) { entry.role = role }
        section.read("platform", &entry.platform)
        if let bytes = section.required("measurement").flatMap(hex) { entry.measurement = bytes }
        section.finish()
        document.code.entries.append(entry)
    }

    private mutating func readTEE(_ section: YAMLSection) {
        for each in section.required("platforms")?.list ?? [] {
            if each.isScalar {
                if let platform = each.choice(Platform.self) { document.tee.rules.append(.init(platform: platform)) }
            } else if let rule = each.section {
                let platform = rule.required("platform")?.choice(Platform.self)
                let tcb = rule["minimumTCB"].flatMap(hex) ?? []
                let wanted = rule["requirements"].flatMap(requirements) ?? .init()
                rule.finish()
                if let platform {
                    document.tee.rules.append(
                        .init(platform: platform, minimumTCB: tcb, requirements: wanted))
                }
            }
        }
        for each in section["softwareKeys"]?.list ?? [] {
            guard let section = each.section else { continue }
            let owner = section.required("owner")?.text
            let key = section.required("key").flatMap(hex)
            section.finish()
            if let owner, let key { document.tee.softwareKeys.append(.init(owner: owner, key: key)) }
        }
        section.finish()
    }

    private func requirements(_ value: YAMLValue) -> PlatformRequirements? {
        do { return try PlatformRequirements(json: try value.json()) } catch let error as AttestationError {
            value.fail(error.reason)
        } catch { value.fail("it can't be read as data") }
        return nil
    }

    private func hex(_ value: YAMLValue) -> [UInt8]? {
        guard let text = value.text else { return nil }
        guard let bytes = Hex.decode(text), !bytes.isEmpty else {
            value.fail("it is a hexadecimal text")
            return nil
        }
        return bytes
    }

    // MARK: Policies and parameters

    private mutating func readVoting(_ section: YAMLSection) {
        if let policy = section["standard"].flatMap(policy) { document.voting.standard = policy }
        for (name, value) in section["actions"]?.section?.all ?? [] {
            guard let action = GovernanceAction(rawValue: name) else {
                value.fail(
                    "there is no such action; \(GovernanceAction.allCases.map(\.rawValue).joined(separator: ", "))")
                continue
            }
            if let policy = policy(value) { document.voting.exceptions.append(.init(action: action, policy: policy)) }
        }
        section.finish()
    }

    private func policy(_ value: YAMLValue) -> VotingPolicy? {
        do { return try VotingPolicy(json: try value.json(), path: value.path) } catch let error as ConstitutionError {
            problems(value, error)
        } catch let error as ConfigurationError {
            for problem in error.problems { value.fail(problem.reason) }
        } catch { value.fail("\(error)") }
        return nil
    }

    /// A problem somewhere within a value: the path says where, the line is the value's.
    private func problems(_ value: YAMLValue, _ error: ConstitutionError) {
        value.problems.add(error.path, value.line, error.reason)
    }

    /// Every row of ``Parameters/table`` is `group.name`, and the groups are sections of the file.
    private mutating func readParameters(_ root: YAMLSection) {
        var groups: [String] = []
        for row in Parameters.table {
            let group = String(row.name.prefix { $0 != "." })
            if !groups.contains(group) { groups.append(group) }
        }
        for group in groups {
            guard let section = root[group]?.section else { continue }
            for row in Parameters.table where row.name.hasPrefix(group + ".") {
                let name = String(row.name.dropFirst(group.count + 1))
                section.read(name, in: row.range, &document.parameters[keyPath: row.path])
            }
            if group == "consensus" { readConsensus(section) }
            section.finish()
        }
    }

    private mutating func readConsensus(_ section: YAMLSection) {
        section.read("engine", &document.consensus.engine)
        section.read("restart", &document.consensus.restart)
        for (name, path) in [
            ("replicationQuorum", \ConsensusSettings.replicationQuorum), ("electionQuorum", \.electionQuorum),
        ] {
            guard let value = section[name], let text = value.text else { continue }
            if let quorum = ConsensusSettings.Quorum(text) {
                document.consensus[keyPath: path] = quorum
            } else {
                value.fail("it is `auto` or a number of nodes")
            }
        }
    }

    private mutating func readAdapter(_ value: YAMLValue) {
        guard let section = value.section else { return }
        let kind = section.required("kind")?.text ?? ""
        var adapter = Adapter(kind: kind, endpoint: section["endpoint"]?.text ?? kind)
        let inline = section["settings"]
        let external = section["settingsFile"]
        if inline != nil, let external { external.fail("settings are given here or in a file, not both") }
        if let inline {
            do { adapter.settings = try inline.json().serialized() } catch {
                inline.fail(error.problems.first?.reason ?? "they can't be read")
            }
        }
        if let external, let bytes = file(external, limit: Adapter.settingsByteCountMax) { adapter.settings = bytes }
        for each in section["outside"]?.list ?? [] { readService(each, &adapter) }
        section.finish()
        document.adapters.append(adapter)
    }

    private func readService(_ value: YAMLValue, _ adapter: inout Adapter) {
        guard let section = value.section else { return }
        var service = OutsideService(name: "", url: "", authorities: [])
        if let text = section.required("name")?.text { service.name = text }
        if let text = section.required("url")?.text { service.url = text }
        service.authorities = (section.required("authorities")?.list ?? []).compactMap(authority)
        section.read("timeoutMilliseconds", in: OutsideService.timeoutRange, &service.timeoutMilliseconds)
        section.read("answerBytesMax", in: OutsideService.answerByteCountRange, &service.answerByteCountMax)
        section.finish()
        adapter.outside.append(service)
    }

    /// A certificate with any kind of key: whether it can be used, TLS says.
    private func authority(_ value: YAMLValue) -> [UInt8]? {
        guard let bytes = file(value, limit: X509Certificate.byteCountMax) else { return nil }
        if bytes.first == 0x30 { return bytes }
        guard let text = String(validating: bytes, as: UTF8.self),
            let der = try? PEM.decode(text, label: "CERTIFICATE")
        else {
            value.fail("it is no certificate in PEM or DER")
            return nil
        }
        return der
    }
}
