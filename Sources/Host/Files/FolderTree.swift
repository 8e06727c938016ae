internal import Glibc

/// All files of a folder and of the folders in it: an operator's cache of collateral, say.
public enum FolderTree {
    /// Files in a tree, at most.
    public static let fileCountMax = 4096
    /// Folders within one another, at most.
    static let depthMax = 8

    /// Relative paths with `/` and contents, sorted by the paths' bytes. Symbolic links are not followed.
    /// - Parameter limit: bytes of one file, at most.
    /// - Throws: ``HostError``.
    public static func read(_ path: String, limit: Int) throws(HostError) -> [(path: String, bytes: [UInt8])] {
        var files: [(path: String, bytes: [UInt8])] = []
        try collect(try Directory(path: path), prefix: "", depth: 0, limit: limit, into: &files)
        return files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private static func collect(
        _ folder: Directory, prefix: String, depth: Int, limit: Int, into files: inout [(path: String, bytes: [UInt8])]
    ) throws(HostError) {
        guard depth <= depthMax else { throw .tooLarge("folders nest deeper than \(depthMax)") }
        for name in try folder.list() {
            var status = stat()
            guard fstatat(folder.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                throw .system("looking at \(prefix)\(name)")
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                let inner = try folder.folder(name)
                try collect(inner, prefix: "\(prefix)\(name)/", depth: depth + 1, limit: limit, into: &files)
            case S_IFREG:
                guard files.count < fileCountMax else { throw .tooLarge("more than \(fileCountMax) files") }
                files.append((prefix + name, try folder.read(name, limit: limit)))
            default: break
            }
        }
    }
}
