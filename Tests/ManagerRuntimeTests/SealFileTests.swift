import Host
import ManagerRuntime
import Testing

@Suite struct SealFileTests {
    private let key = [UInt8](repeating: 9, count: 32)

    @Test func whatIsSealedComesBack() throws {
        let folder = try TemporaryFolder()
        let file = SealFile(folder: try folder.directory(), key: key)
        #expect(try file.read() == nil)
        for bytes in [[], [1], [UInt8](repeating: 3, count: 100_000)] {
            try file.write(bytes)
            #expect(try file.read() == bytes)
        }
    }

    @Test func theSameStateLooksDifferentEachTime() throws {
        let folder = try TemporaryFolder()
        let directory = try folder.directory()
        let file = SealFile(folder: directory, key: key)
        var seen: Set<[UInt8]> = []
        for _ in 0..<10 {
            try file.write([1, 2, 3])
            seen.insert(try directory.read(SealFile.name))
        }
        #expect(seen.count == 10)
        #expect(seen.allSatisfy { $0.count == 1 + 12 + 3 + 16 })
    }

    @Test func anyChangeIsNoticed() throws {
        let folder = try TemporaryFolder()
        let directory = try folder.directory()
        let file = SealFile(folder: directory, key: key)
        try file.write(Array("state".utf8))
        let good = try directory.read(SealFile.name)
        for index in good.indices {
            for bit in 0..<8 {
                var bad = good
                bad[index] ^= 1 << UInt8(bit)
                try directory.replace(SealFile.name, with: bad)
                #expect(throws: HostError.corrupt("")) { _ = try file.read() }
            }
        }
        for count in good.indices {
            try directory.replace(SealFile.name, with: Array(good[..<count]))
            #expect(throws: HostError.corrupt("")) { _ = try file.read() }
        }
        try directory.replace(SealFile.name, with: good + [0])
        #expect(throws: HostError.corrupt("")) { _ = try file.read() }
        try directory.replace(SealFile.name, with: good)
        #expect(throws: HostError.corrupt("")) {
            _ = try SealFile(folder: directory, key: [UInt8](repeating: 8, count: 32)).read()
        }
        #expect(try file.read() == Array("state".utf8))
    }
}
