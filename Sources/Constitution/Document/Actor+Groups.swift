package import Primitives

/// Department and groups of an actor as JSON: in the ledger, in proposals and in documents.
extension Actor {
    /// Groups of an actor at most.
    static let groupsMax = 64

    /// The members `department` and `groups`; none for an actor without.
    var groupFields: [JSONObject.Member] {
        var fields: [JSONObject.Member] = []
        if let department { fields.append(.init(name: "department", value: department.json)) }
        if !groups.isEmpty {
            let members = groups.map { JSONObject.Member(name: $0.name, value: $0.filter.json) }
            fields.append(.init(name: "groups", value: .object(JSONObject(members))))
        }
        return fields
    }

    /// Takes what ``groupFields`` gives; a part that is nil stays away.
    /// - Throws: ``ConstitutionError`` whose path starts with `path`.
    package mutating func readGroups(
        department: JSON?, groups: JSON?, path: String
    ) throws(ConstitutionError) {
        if let department { self.department = try CertificateFilter(json: department, path: "\(path).department") }
        guard let groups else { return }
        guard let members = groups.object?.members, !members.isEmpty, members.count <= Self.groupsMax else {
            throw .malformed("\(path).groups", "it is a section of up to \(Self.groupsMax) names and filters")
        }
        for member in members {
            guard Names.isActorID(member.name) else {
                throw .malformed("\(path).groups", "a name takes 1 to 64 of a-z, 0-9, -, _ and .")
            }
            guard !self.groups.contains(where: { $0.name == member.name }) else {
                throw .duplicate("\(path).groups.\(member.name)", "it is there twice")
            }
            let filter = try CertificateFilter(json: member.value, path: "\(path).groups.\(member.name)")
            self.groups.append(.init(name: member.name, filter: filter))
        }
    }

    /// Bytes of the text of department and groups at most.
    static let groupsByteCountMax = 1 << 16

    /// One text for department and groups; nil without.
    var groupText: String? {
        groupFields.isEmpty ? nil : String(decoding: JSON.object(JSONObject(groupFields)).serialized(), as: UTF8.self)
    }

    /// Reads ``groupText``.
    /// - Throws: ``ConstitutionError`` whose path starts with `path`.
    mutating func readGroups(text: String, path: String) throws(ConstitutionError) {
        let json: JSON
        do {
            json = try JSON(
                parsing: Array(text.utf8),
                limits: JSONLimits(bytesMax: Self.groupsByteCountMax, depthMax: 8, valuesMax: 1 << 12))
        } catch { throw .malformed(path, "\(error)") }
        let object = try PolicyReader.object(json, path, names: ["department", "groups"])
        try readGroups(department: object["department"], groups: object["groups"], path: path)
        guard groupText == text else { throw .malformed(path, "department and groups are not in their one form") }
    }

    /// What is wrong with department and groups; nil when nothing is.
    func groupProblem(path: String) -> ConstitutionError? {
        guard let text = groupText else { return nil }
        if department != nil, !certificates.contains(where: { $0.kind == .organisation }) {
            return .malformed(
                "\(path).department", "it chooses among certificates of an organisation, and there is none")
        }
        var copy = Actor(id: id, role: role, certificates: certificates)
        do { try copy.readGroups(text: text, path: path) } catch { return error }
        return copy == self ? nil : .malformed(path, "department and groups have no byte form")
    }
}
