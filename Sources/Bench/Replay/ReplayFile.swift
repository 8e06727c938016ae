public import EthereumAdapter
internal import Host
internal import Primitives

/// A file of the replay format: a block of a public chain with what is before it and what it is known to do.
public struct ReplayFile: Sendable {
    /// The file's name.
    public let name: String
    /// Its content.
    public let replay: ReplayCase
    /// The JSON-RPC call that loads what is before the block.
    let loadCall: [UInt8]

    /// Members of the file that ``loadCall`` carries.
    private static let loadMembers = ["chainId", "header", "blockHashes", "codes", "preState"]

    /// Reads a file's bytes, packed with gzip or plain.
    /// - Throws: ``BenchError/input(_:)`` naming the file and the place.
    public init(name: String, bytes: [UInt8]) throws(BenchError) {
        self.name = name
        do throws(CaseFileError) { replay = try ReplayCase(file: bytes) } catch {
            throw .input("\(name): \(error)")
        }
        let json: JSON
        do {
            let text = Gzip.isCompressed(bytes) ? try Gzip.inflate(bytes, limit: ReplayCase.bytesMax) : bytes
            json = try JSON(
                parsing: text, limits: .init(bytesMax: ReplayCase.bytesMax, depthMax: 16, valuesMax: 8 << 20))
        } catch { throw .input("\(name): \(error)") }
        let members = Self.loadMembers.compactMap { name in
            json[name].map { JSONObject.Member(name: name, value: $0) }
        }
        loadCall = RPCText.call("entente_replayLoad", parameters: [.object(.init(members))])
    }

    /// The JSON-RPC call that executes the block's transactions as one batch.
    var blockCall: [UInt8] {
        RPCText.call(
            "entente_replayBlock",
            parameters: [.array(replay.transactions.map { .string(Hex.encodePrefixed($0.raw)) })])
    }
}

/// Finds and reads files of the replay format.
public struct ReplayFolder: Sendable {
    private let place: String
    /// Paths of the files, by block number if they are named so, else by name.
    public let paths: [String]

    /// Looks for files.
    /// - Parameter path: a folder with files `*.json.gz` or `*.json`, a folder with a folder `blocks` of such, or one
    ///   such file.
    /// - Throws: ``BenchError/input(_:)`` if there is none.
    public init(_ path: String) throws(BenchError) {
        place = path
        if Self.isCase(path) {
            paths = [path]
            return
        }
        var found: [String] = []
        do throws(HostError) {
            let folder = try Directory(path: path)
            found = try folder.list().filter(Self.isCase).map { "\(path)/\($0)" }
            if found.isEmpty, try folder.list().contains("blocks") {
                found = try folder.folder("blocks").list().filter(Self.isCase).map { "\(path)/blocks/\($0)" }
            }
        } catch {
            throw .input("\(path) can't be read as a folder: \(error)")
        }
        guard !found.isEmpty else { throw .input("\(path) holds no replay file (*.json.gz or *.json)") }
        paths = found.sorted { (Self.number($0), $0) < (Self.number($1), $1) }
    }

    /// Reads one of the files.
    /// - Throws: ``BenchError/input(_:)``.
    public static func read(_ path: String) throws(BenchError) -> ReplayFile {
        let slash = path.lastIndex(of: "/")
        let name = String(slash.map { path[path.index(after: $0)...] } ?? path[...])
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let bytes: [UInt8]
        do throws(HostError) { bytes = try Directory(path: folder).read(name) } catch {
            throw .input("\(path) can't be read: \(error)")
        }
        return try ReplayFile(name: name, bytes: bytes)
    }

    private static func isCase(_ name: String) -> Bool { name.hasSuffix(".json.gz") || name.hasSuffix(".json") }

    /// The number that a file's name begins with; the largest one if it begins with none.
    private static func number(_ path: String) -> UInt64 {
        let name = path.split(separator: "/").last ?? ""
        return UInt64(name.prefix { $0.isASCII && $0.isNumber }) ?? .max
    }
}
