import FoundationEssentials
import Glibc
import Primitives
import Testing
import ThresholdCryptography

/// The scheme's outputs before `Tests/python/threshold_check.py`, which is written from the RFCs and shares no code, and its
/// ciphertexts before ours.
@Suite(.serialized) struct IndependentThresholdTests {
    private struct Order: Codable {
        var label: String
        var message: String
        var r: String
        var s: String
    }

    private struct Input: Codable {
        var keys: String
        var dealings: [String]
        var ciphertext: String
        var shares: [String]
        var message: String
        var encrypt: Order
    }

    private struct Output: Codable {
        var ciphertext: String?
        var error: String?
    }

    private func check(_ input: Input) throws -> (code: Int32, output: Output) {
        let folder = FileManager.default.temporaryDirectory.path + "/entente-threshold-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try JSONEncoder().encode(input).write(to: URL(filePath: folder + "/in"))
        let script = String(#filePath).replacing(
            "ThresholdCryptographyTests/IndependentThresholdTests.swift", with: "python/threshold_check.py")
        let words = ["python3", script, folder + "/in", folder + "/out"]
        var argv = words.map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        var pid = pid_t()
        try #require(posix_spawnp(&pid, "python3", nil, nil, &argv, environ) == 0)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        let output = try JSONDecoder().decode(Output.self, from: Data(contentsOf: URL(filePath: folder + "/out")))
        return (status >> 8, output)
    }

    @Test(arguments: [(1, 1), (3, 2), (5, 3)]) func agrees(_ count: Int, _ threshold: Int) throws {
        var random = SeededBytes(UInt64(count))
        let actors = try Actors((1...count).map { $0 * 7 }, threshold: threshold)
        var run = try Run(try actors.context(), actors)
        let shares = try run.finish()
        let keys = try #require(run.generation.keys)
        let message = random.secret()
        let ciphertext = try Ciphertext(
            encrypting: message, label: try label(keys), to: keys, randomness: random.secret())
        let checked = try ciphertext.checked(for: keys)
        let parts = try shares.suffix(threshold).map {
            try DecryptionShare(of: checked, by: $0, randomness: random.secret())
        }
        let theirs = random.secret()
        let next = try label(keys, epoch: 2)
        var input = Input(
            keys: Hex.encode(keys.encoded),
            dealings: run.dealers.sorted { $0.key < $1.key }.map { Hex.encode($0.value.dealMessage.encoded) },
            ciphertext: Hex.encode(ciphertext.encoded), shares: parts.map { Hex.encode($0.encoded) },
            message: Hex.encode(message.array),
            encrypt: Order(
                label: Hex.encode(next.encoded), message: Hex.encode(theirs.array), r: Hex.encode(random.bytes(64)),
                s: Hex.encode(random.bytes(64))))
        let (code, output) = try check(input)
        #expect(code == 0, "\(output.error ?? "")")
        // Theirs opens here.
        let back = try Ciphertext(decoding: hex(try #require(output.ciphertext)))
        #expect(back.label == next)
        let checkedBack = try back.checked(for: keys)
        let opened = try checkedBack.open(
            with: try shares.prefix(threshold).map {
                try DecryptionShare(of: checkedBack, by: $0, randomness: random.secret())
                    .verified(for: checkedBack, keys: keys)
            }, keys: keys)
        #expect(opened.isEqual(to: theirs))
        // The judge does judge: one changed byte anywhere fails.
        input.message = Hex.encode(theirs.array)
        #expect(try check(input).output.error == "ValueError: the message")
        input.message = Hex.encode(message.array)
        let scalar = random.scalar().encoding.array
        input.ciphertext = Hex.encode(try Tree.replacing(ciphertext.encoded, at: [7], with: .bytes(scalar)))
        #expect(try check(input).output.error == "ValueError: the ciphertext's check")
    }
}
