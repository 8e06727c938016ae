internal import FoundationEssentials

/// The files of this machine.
public struct DiskFiles: FileAccess, Sendable {
    /// The files of this machine.
    public init() {}

    /// The content of a file of at most `limit` bytes.
    /// - Throws: ``ConfigurationError``.
    public func read(_ path: String, limit: Int) throws(ConfigurationError) -> [UInt8] {
        guard kind(of: path) == .file else { throw ConfigurationError("there is no file \(path)") }
        let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? any BinaryInteger
        if let size, Int(clamping: size) > limit { throw ConfigurationError("\(path) is over \(limit) bytes") }
        let data: Data
        do { data = try Data(contentsOf: URL(filePath: path)) } catch {
            throw ConfigurationError("\(path) can't be read")
        }
        guard data.count <= limit else { throw ConfigurationError("\(path) is over \(limit) bytes") }
        return [UInt8](data)
    }

    /// What is at a path.
    public func kind(of path: String) -> FileKind {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return .missing }
        return isFolder ? .folder : .file
    }
}

extension FileAccess {
    /// The content of a text file of at most `limit` bytes.
    /// - Throws: ``ConfigurationError``.
    public func text(_ path: String, limit: Int) throws(ConfigurationError) -> String {
        let bytes = try read(path, limit: limit)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError("\(path) is not in UTF-8")
        }
        return text
    }
}

extension NodeConfiguration {
    /// Reads a node.yaml from disk and takes its relative paths from its folder.
    /// - Throws: ``ConfigurationError``.
    public init(path: String, files: any FileAccess = DiskFiles()) throws(ConfigurationError) {
        let text = try files.text(path, limit: Self.byteCountMax)
        self = try NodeConfiguration(yaml: text).resolved(against: Paths.folder(of: path))
    }
}
