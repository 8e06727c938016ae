import EthereumAdapter
import Primitives

/// Pairs of keys and values, in an order or in any, and the root that they give; a value of null takes a key out.
enum TrieTest {
    static func run(_ test: CaseFields, file: String) throws(CaseFileError) -> TestFile.Outcome.Verdict {
        guard test.has("root") else { return .notApplicable("iteration by key, which no trie here has") }
        // Names say whether keys are hashed first.
        let isSecure = file.lowercased().contains("secure")
        var pairs: [[UInt8]: [UInt8]] = [:]
        let input = try test.json("in")
        if let list = input.array {
            for pair in list {
                guard let key = pair.array?.first?.string, let value = pair.array?.last else {
                    throw test.error("in", "not a list of pairs")
                }
                pairs[bytes(key)] = value.string.map(bytes)
            }
        } else {
            for member in input.object?.members ?? [] { pairs[bytes(member.name)] = member.value.string.map(bytes) }
        }
        let root = OrderedTrie.root(
            pairs.map { (key: isSecure ? Keccak256.hash($0.key).bytes : $0.key, value: $0.value) })
        let expected = try test.hash("root")
        return root == expected ? .passed : .failed("root \(root), not \(expected)")
    }

    private static func bytes(_ text: String) -> [UInt8] {
        text.hasPrefix("0x") ? Hex.decode(text) ?? [] : Array(text.utf8)
    }
}
