/// What of an ELF file says which other files are loaded with it (System V ABI, chapters 4 and 5). 64-bit little-endian
/// only. The file may be damaged or hostile: every offset is checked.
package struct ELFFile: Hashable, Sendable {
    /// The program that loads it (PT_INTERP), for an executable.
    package private(set) var interpreter: String?
    /// Names of the libraries it needs (DT_NEEDED), in order.
    package private(set) var needed: [String] = []
    /// Folders in which they are looked for before the usual ones (DT_RUNPATH or DT_RPATH).
    package private(set) var searchPath: [String] = []

    private static let stringsBytesMax = 64 << 20
    private static let entriesMax = 4096

    /// Reads the headers of `file`.
    /// - Throws: ``HostError/corrupt(_:)``.
    package init(_ file: File) throws(HostError) {
        let header = try Self.exactly(file, 0, 64)
        guard header.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]) else {
            throw .corrupt("\(file.name) is not a 64-bit little-endian ELF file")
        }
        let (tableOffset, entrySize, count) = (Self.long(header, 32), Self.short(header, 54), Self.short(header, 56))
        guard entrySize >= 56, count <= 256 else { throw .corrupt("\(file.name): unlikely program headers") }
        let table = try Self.exactly(file, tableOffset, entrySize * count)
        var loads: [(address: Int, offset: Int, size: Int)] = []
        var dynamic: (offset: Int, size: Int)?
        for index in 0..<count {
            let at = index * entrySize
            let (kind, offset) = (Self.word(table, at), Self.long(table, at + 8))
            let (address, size) = (Self.long(table, at + 16), Self.long(table, at + 32))
            switch kind {
            case 1: loads.append((address, offset, size))
            case 2: dynamic = (offset, size)
            case 3: interpreter = try Self.text(Self.exactly(file, offset, min(size, 4096)), 0, file.name)
            default: break
            }
        }
        guard let dynamic else { return }
        guard dynamic.size <= Self.entriesMax * 16 else { throw .corrupt("\(file.name): unlikely dynamic section") }
        try readDynamic(Self.exactly(file, dynamic.offset, dynamic.size), loads, file)
    }

    private mutating func readDynamic(
        _ section: [UInt8], _ loads: [(address: Int, offset: Int, size: Int)], _ file: File
    ) throws(HostError) {
        var neededAt: [Int] = []
        var (runPathAt, oldPathAt, stringsAt, stringsSize) = (-1, -1, -1, 0)
        for at in stride(from: 0, to: section.count - 15, by: 16) {
            let value = Self.long(section, at + 8)
            switch Self.long(section, at) {
            case 0: break
            case 1: neededAt.append(value)
            case 5: stringsAt = value
            case 10: stringsSize = value
            case 15: oldPathAt = value
            case 29: runPathAt = value
            default: continue
            }
            if Self.long(section, at) == 0 { break }
        }
        // Each of these numbers is up to the file: none may be negative, and their sum may be too large.
        guard
            let load = loads.first(where: {
                $0.address >= 0 && stringsAt >= $0.address && stringsAt - $0.address < $0.size
            }), stringsSize <= Self.stringsBytesMax
        else { throw .corrupt("\(file.name): no string table") }
        let (place, isOutside) = load.offset.addingReportingOverflow(stringsAt - load.address)
        guard !isOutside else { throw .corrupt("\(file.name): no string table") }
        let strings = try Self.exactly(file, place, stringsSize)
        for at in neededAt { needed.append(try Self.text(strings, at, file.name)) }
        let pathAt = runPathAt >= 0 ? runPathAt : oldPathAt
        if pathAt >= 0 {
            searchPath = try Self.text(strings, pathAt, file.name).split(separator: ":").map(String.init)
        }
    }

    private static func exactly(_ file: File, _ offset: Int, _ count: Int) throws(HostError) -> [UInt8] {
        guard offset >= 0, count >= 0, count <= 64 << 20 else { throw .corrupt("\(file.name): an offset is wrong") }
        let bytes = try file.read(at: offset, count: count)
        guard bytes.count == count else { throw .corrupt("\(file.name) is cut off") }
        return bytes
    }

    private static func text(_ bytes: [UInt8], _ at: Int, _ name: String) throws(HostError) -> String {
        guard at >= 0, at < bytes.count, let end = bytes[at...].firstIndex(of: 0),
            let text = String(validating: bytes[at..<end], as: UTF8.self)
        else { throw .corrupt("\(name): a name is wrong") }
        return text
    }

    private static func short(_ bytes: [UInt8], _ at: Int) -> Int { Int(bytes[at]) | Int(bytes[at + 1]) << 8 }

    private static func word(_ bytes: [UInt8], _ at: Int) -> Int { short(bytes, at) | short(bytes, at + 2) << 16 }

    /// A 64-bit value; one with the top bit set becomes -1, which no bound accepts.
    private static func long(_ bytes: [UInt8], _ at: Int) -> Int {
        let high = word(bytes, at + 4)
        return high > 0x7fff_ffff ? -1 : word(bytes, at) | high << 32
    }
}
