import EthereumAdapter
import Foundation
import Primitives
import Testing

@Suite("Tries")
struct TrieTests {
    @Test func knownRoots() {
        #expect(
            OrderedTrie.emptyRoot
                == Bytes32(hex: "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"))
        let dogs = ["do": "verb", "horse": "stallion", "doge": "coin", "dog": "puppy"]
        let pairs = dogs.map { (key: Array($0.key.utf8), value: Array($0.value.utf8)) }
        #expect(
            OrderedTrie.root(pairs)
                == Bytes32(hex: "5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84"))
    }

    @Test(.enabled(if: SharedData.exists("evm-tests/ethereum-tests-TrieTests.tar.xz")))
    func publicVectors() throws {
        var checked = 0
        for file in try SharedData.archive("ethereum-tests-TrieTests") {
            let name = file.lastPathComponent
            // This one tests iteration by key, which no trie here has.
            if name == "trietestnextprev.json" { continue }
            for member in try SharedData.json(file).object?.members ?? [] {
                let operations = try Self.operations(#require(member.value["in"]))
                let root = Bytes32(hex: member.value["root"]?.string ?? "")
                if name.lowercased().contains("secure") {
                    var trie = TestTrie(applying: operations)
                    #expect(trie.root() == root, "\(name) \(member.name)")
                } else {
                    var pairs: [[UInt8]: [UInt8]] = [:]
                    for (key, value) in operations { pairs[key] = value }
                    #expect(
                        OrderedTrie.root(pairs.map { (key: $0.key, value: $0.value) }) == root,
                        "\(name) \(member.name)")
                }
                checked += 1
            }
        }
        #expect(checked > 20)
    }

    /// A vector's input: a list of pairs in order, or an object whose order doesn't matter.
    private static func operations(_ input: JSON) -> [([UInt8], [UInt8]?)] {
        func bytes(_ text: String) -> [UInt8] {
            text.hasPrefix("0x") ? Hex.decode(text) ?? [] : Array(text.utf8)
        }
        if let pairs = input.array {
            return pairs.map { pair in
                (bytes(pair.array?.first?.string ?? ""), pair.array?.last?.string.map(bytes))
            }
        }
        return (input.object?.members ?? []).map { (bytes($0.name), $0.value.string.map(bytes)) }
    }

    /// The incremental trie against the one built at one go, after each of many random batches; keys from a small set,
    /// so that branches come and go.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func incrementalAgreesWithOracle(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var trie = TestTrie(applying: [])
        var model: [[UInt8]: [UInt8]] = [:]
        for batch in 0..<60 {
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                let key = withUnsafeBytes(of: UInt64.random(in: 0..<200, using: &random)) { Array($0) }
                let length = Int.random(in: 1...60, using: &random)
                let value: [UInt8]? =
                    Bool.random(using: &random)
                    ? (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) } : nil
                model[key] = value
                trie.set(key, value)
            }
            let oracle = OrderedTrie.root(
                model.map { (key: Keccak256.hash($0.key).bytes, value: $0.value) })
            #expect(trie.root() == oracle, "seed \(seed) batch \(batch)")
        }
        for key in model.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) { trie.set(key, nil) }
        #expect(trie.root() == OrderedTrie.emptyRoot)
        #expect(trie.branchCount == 0)
    }

    /// Keys that share long prefixes make extensions and nodes shorter than a hash.
    @Test(arguments: [5, 6, 7, 8] as [UInt64])
    func sharedPrefixesAndEmbeddedNodes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var trie = TestTrie(applying: [], hashesKeys: false)
        var model: [[UInt8]: [UInt8]] = [:]
        for batch in 0..<80 {
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                var key = [UInt8](repeating: 0x11, count: 32)
                key[31] = UInt8.random(in: 0...255, using: &random) & 0x73
                if Bool.random(using: &random) { key[30] = UInt8.random(in: 0...3, using: &random) << 3 }
                if Int.random(in: 0..<8, using: &random) == 0 { key[12] = 0x10 }
                let value: [UInt8]? =
                    Int.random(in: 0..<3, using: &random) > 0 ? [UInt8.random(in: 1...127, using: &random)] : nil
                model[key] = value
                trie.set(key, value)
            }
            let oracle = OrderedTrie.root(model.map { (key: $0.key, value: $0.value) })
            #expect(trie.root() == oracle, "seed \(seed) batch \(batch)")
        }
    }

    @Test func proofsLeadFromRootToValue() {
        var random = SeededGenerator(seed: 9)
        var trie = TestTrie(applying: [])
        for number in 0..<300 as Range<UInt64> {
            trie.set(withUnsafeBytes(of: number) { Array($0) }, [UInt8.random(in: 0...255, using: &random), 1, 2])
        }
        let root = trie.root()
        for number in 0..<330 as Range<UInt64> {
            let key = withUnsafeBytes(of: number) { Array($0) }
            let nodes = trie.proof(key)
            #expect(
                ProofCheck.value(of: Keccak256.hash(key).bytes, root: root, nodes: nodes) == .some(trie.value(key)),
                "key \(number)")
        }
    }
}

/// A secure trie over a plain table, as the smallest user of ``TrieArena``.
private struct TestTrie {
    struct Leaves: TrieLeaves {
        var keys: [[UInt8]] = []
        var values: [[UInt8]] = []
        var references: [TrieReference] = []
        var hashesKeys: Bool

        func trieKey(_ leaf: Int) -> Bytes32 { trieKey(keys[leaf]) }

        func trieKey(_ key: [UInt8]) -> Bytes32 {
            hashesKeys ? Keccak256.hash(key) : Bytes32(key) ?? .zero
        }

        func appendTrieValue(_ leaf: Int, to output: inout [UInt8]) { output += values[leaf] }

        subscript(reference leaf: Int) -> TrieReference {
            get { references[leaf] }
            set { references[leaf] = newValue }
        }
    }

    private var arena = TrieArena()
    private var link = TrieLink.empty
    private var leaves: Leaves
    private var places: [[UInt8]: Int] = [:]
    private var present: Set<Int> = []

    init(applying operations: [([UInt8], [UInt8]?)], hashesKeys: Bool = true) {
        leaves = Leaves(hashesKeys: hashesKeys)
        for (key, value) in operations { set(key, value) }
    }

    var branchCount: Int { arena.branchCount }

    mutating func set(_ key: [UInt8], _ value: [UInt8]?) {
        let place: Int
        if let known = places[key] {
            place = known
        } else {
            place = leaves.keys.count
            leaves.keys.append(key)
            leaves.values.append([])
            leaves.references.append(.stale)
            places[key] = place
        }
        if let value {
            leaves.values[place] = value
            present.insert(place)
            arena.insert(place, key: leaves.trieKey(key), root: &link, &leaves)
        } else {
            present.remove(place)
            arena.remove(place, key: leaves.trieKey(key), root: &link, &leaves)
        }
    }

    func value(_ key: [UInt8]) -> [UInt8]? {
        places[key].flatMap { present.contains($0) ? leaves.values[$0] : nil }
    }

    mutating func root() -> Bytes32 { arena.root(link, &leaves) }

    mutating func proof(_ key: [UInt8]) -> [[UInt8]] { arena.proof(leaves.trieKey(key), root: link, &leaves) }
}

/// Walks a proof as a light client does: by hashes alone.
enum ProofCheck {
    /// The value, or nil if the proof shows that there is none; nil outside if the nodes prove nothing.
    static func value(of key: [UInt8], root: Bytes32, nodes: [[UInt8]]) -> [UInt8]?? {
        if nodes.isEmpty { return root == OrderedTrie.emptyRoot ? .some(nil) : nil }
        var rest = key.flatMap { [$0 >> 4, $0 & 15] }[...]
        var next: [UInt8] = root.bytes
        var nodes = nodes[...]
        while true {
            var item: RLPItem
            do {
                if next.count == 32 {
                    guard let node = nodes.popFirst(), Keccak256.hash(node).bytes == next else { return nil }
                    item = try RLP.decode(node)
                } else {
                    item = try RLP.decode(next)
                }
                let items = try item.items()
                let child: RLPItem
                if items.count == 17 {
                    guard let nibble = rest.popFirst() else { return nil }
                    child = items[Int(nibble)]
                } else {
                    let path = try items[0].bytes().flatMap { [$0 >> 4, $0 & 15] }
                    let nibbles = path.dropFirst(path[0] & 1 == 1 ? 1 : 2)
                    guard rest.starts(with: nibbles) else { return .some(nil) }
                    rest = rest.dropFirst(nibbles.count)
                    if path[0] & 2 != 0 { return .some(try items[1].bytes()) }
                    child = items[1]
                }
                if child.isEmptyBytes { return .some(nil) }
                next = child.isList ? Array(child.encoded) : try child.bytes()
            } catch { return nil }
        }
    }
}
