public import Attestation
internal import Primitives

/// By what a person judges a piece of evidence: a YAML or JSON file.
///
/// Besides the settings of ``EvidencePolicy/init(json:)`` it may name the `platform` that the evidence is of, the folder of
/// the `collateral` cache and the time (`at`, RFC 3339 in UTC) at which to verify.
public struct EvidencePolicyFile: Sendable {
    /// What is asked.
    public var policy: EvidencePolicy
    /// The platform, if the file names it.
    public var platform: Platform?
    /// The folder of the cache, if the file names one; relative paths start at the file's folder.
    public var collateral: String?
    /// Milliseconds since 1970, if the file says so.
    public var time: UInt64?

    /// Bytes of a file at most.
    public static let byteCountMax = 1 << 20

    /// Reads a file.
    /// - Throws: ``ConfigurationError``.
    public init(path: String, files: any FileAccess = DiskFiles()) throws(ConfigurationError) {
        try self.init(
            yaml: try files.text(path, limit: Self.byteCountMax), folder: Paths.folder(of: path))
    }

    /// Reads a text.
    /// - Parameter folder: where relative paths start.
    /// - Throws: ``ConfigurationError``.
    public init(yaml text: String, folder: String) throws(ConfigurationError) {
        let problems = ProblemList()
        let root = try YAMLValue.parse(text, bytesMax: Self.byteCountMax, problems: problems)
        let json = try root.json()
        try problems.check()
        guard let object = json.object else { throw ConfigurationError("a policy is a section with settings") }
        var rest = JSONObject()
        for member in object.members {
            switch member.name {
            case "platform":
                guard let platform = member.value.string.flatMap(Platform.init(rawValue:)) else {
                    throw ConfigurationError(
                        "it is one of \(Platform.allCases.map(\.rawValue).joined(separator: ", "))", path: "platform")
                }
                self.platform = platform
            case "collateral":
                guard let text = member.value.string else {
                    throw ConfigurationError("it is a path", path: "collateral")
                }
                collateral = Paths.resolve(text, against: folder)
            case "at":
                guard let time = member.value.string.flatMap(CivilTime.parse) else {
                    throw ConfigurationError("it is a time such as 2026-03-16T22:06:09Z", path: "at")
                }
                self.time = time
            default: rest.append(member.name, member.value)
            }
        }
        do { policy = try EvidencePolicy(json: .object(rest)) } catch { throw ConfigurationError(error.reason) }
    }
}
