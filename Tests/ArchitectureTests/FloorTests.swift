import Foundation
import Testing

/// The floors of ARCHITECTURE.md. A target may import targets of lower floors only.
private let floors: [String: Int] = [
    "CGMP": 0, "CHostShim": 0, "CJansson": 0, "COpenSSL": 0, "CSeccomp": 0, "CSecp256k1": 0,
    "CSodium": 0, "CZlib": 0,
    "Primitives": 1,
    "Attestation": 2, "EVM": 2, "Identity": 2, "Ledger": 2, "Store": 2, "ThresholdCryptography": 2,
    "Consensus": 3, "Constitution": 3,
    "AdapterKit": 4,
    "EthereumAdapter": 5, "Manager": 5,
    "Conformance": 6, "Host": 6, "NodeConfiguration": 6, "Transport": 6, "WorkerRuntime": 6,
    "Bench": 7, "Gateway": 7, "ManagerRuntime": 7, "Simulator": 7,
    "entente": 8, "entente-manager": 8, "entente-node": 8, "entente-worker": 8, "SandboxProbe": 8,
]

/// Siblings on one floor that may be imported there: (importer, imported). Each has a reason in ARCHITECTURE.md.
private let siblings: Set<[String]> = [
    ["Ledger", "Store"], ["Ledger", "Identity"], ["Attestation", "Identity"],
]

/// What no target below floor 6 may import: the core has no I/O.
private let outside = ["NIO", "FoundationNetworking", "Dispatch", "Glibc", "Logging", "Yams", "ArgumentParser"]

private struct SourceImport {
    let target: String
    let file: String
    let module: String
}

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

private func imports() throws -> [SourceImport] {
    let sources = root.appending(path: "Sources")
    var found: [SourceImport] = []
    for target in try FileManager.default.contentsOfDirectory(atPath: sources.path) {
        let folder = sources.appending(path: target)
        let walker = FileManager.default.enumerator(atPath: folder.path)
        while let file = walker?.nextObject() as? String {
            guard file.hasSuffix(".swift") else { continue }
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard let at = words.firstIndex(of: "import"), at <= 2, words.count > at + 1,
                    words[..<at].allSatisfy({
                        ["public", "package", "internal", "private", "@preconcurrency"].contains($0)
                    })
                else { continue }
                let module = words[words.count - 1].split(separator: ".")[0]
                found.append(SourceImport(target: target, file: file, module: String(module)))
            }
        }
    }
    return found
}

@Suite("Imports point down")
struct FloorTests {
    @Test("every target has a floor")
    func everyTargetHasAFloor() throws {
        let targets = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Sources").path)
        #expect(!targets.isEmpty)
        for target in targets { #expect(floors[target] != nil, "\(target) has no floor") }
    }

    @Test("a target imports lower floors only")
    func targetsImportDownwards() throws {
        let all = try imports()
        #expect(all.count > 100)
        for each in all {
            guard let from = floors[each.target], let to = floors[each.module], each.target != each.module else {
                continue
            }
            #expect(
                to < from || siblings.contains([each.target, each.module]),
                "\(each.target)/\(each.file) imports \(each.module)")
        }
    }

    @Test("nothing below floor 6 does I/O")
    func coreHasNoIO() throws {
        for each in try imports() where (floors[each.target] ?? 9) < 6 {
            #expect(
                !outside.contains { each.module.hasPrefix($0) } && each.module != "Foundation",
                "\(each.target)/\(each.file) imports \(each.module)")
        }
    }

    @Test("adapters know the kit, never the manager")
    func adaptersDoNotKnowTheManager() throws {
        for each in try imports() where each.target.hasSuffix("Adapter") {
            #expect(each.module != "Manager", "\(each.target)/\(each.file)")
        }
    }
}
