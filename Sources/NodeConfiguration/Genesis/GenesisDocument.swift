internal import Attestation
public import Constitution

/// A genesis constitution as founders write it: a YAML file beside certificates and signed node files.
public struct GenesisDocument: Sendable, Hashable {
    /// What the file says. Not validated; ``constitution()`` does.
    public var document: ConstitutionDocument
    /// The signed node files that it names, for checks against its manifests.
    public var nodeFiles: [NodeTupleFile]

    /// Bytes of a genesis YAML at most.
    public static let byteCountMax = 16 << 20
    /// Bytes of an encoded genesis at most.
    public static let genesisByteCountMax = 12 << 20

    init(document: ConstitutionDocument, nodeFiles: [NodeTupleFile]) {
        self.document = document
        self.nodeFiles = nodeFiles
    }

    /// Reads a genesis YAML and the files that it names, relative paths taken from its folder.
    /// - Throws: ``ConfigurationError`` with every problem of form.
    public init(path: String, files: any FileAccess = DiskFiles()) throws(ConfigurationError) {
        let text = try files.text(path, limit: Self.byteCountMax)
        try self.init(yaml: text, folder: Paths.folder(of: path), files: files)
    }

    /// Reads a genesis YAML.
    /// - Parameter folder: where relative paths start.
    /// - Throws: ``ConfigurationError`` with every problem of form.
    public init(yaml text: String, folder: String, files: any FileAccess) throws(ConfigurationError) {
        let problems = ProblemList()
        let root = try YAMLValue.parse(text, bytesMax: Self.byteCountMax, problems: problems)
        var reader = GenesisReader(folder: folder, files: files)
        if let section = root.section { reader.read(section) }
        try problems.check()
        self.init(document: reader.document, nodeFiles: reader.nodeFiles)
    }

    /// Validates the document, and each node against the manifests: its code must be approved and its platform listed
    /// for its owner, or it could never be admitted.
    /// - Throws: ``ConfigurationError`` with every problem of sense.
    public func constitution() throws(ConfigurationError) -> Constitution {
        var problems = document.problems().map { ConfigurationProblem(path: $0.path, reason: $0.reason) }
        for (index, file) in nodeFiles.enumerated() {
            let path = "nodes[\(index)]"
            do {
                try file.check()
                let verified = try file.evidence.verify(at: 0, manifest: document.tee, owner: file.tuple.owner)
                try document.code.admit(
                    platform: verified.claims.platform, manager: file.managerMeasurement,
                    worker: file.workerMeasurement)
            } catch let error as ConfigurationError {
                problems += error.problems.map { .init(path: "\(path).\($0.path)", reason: $0.reason) }
            } catch {
                problems.append(.init(path: "\(path).evidence", reason: "\(error)"))
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        do { return try Constitution(genesis: document) } catch {
            throw ConfigurationError(error.reason, path: error.path)
        }
    }
}
