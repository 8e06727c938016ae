import Primitives

/// The root of a Merkle Patricia trie, computed top down from all its entries: slow and short, with nothing in common
/// with the trie of the product.
enum NaiveTrie {
    static let emptyRoot = Keccak256.hash([0x80])

    /// The root of a "secure" trie: keys are digests.
    static func root(_ entries: [(key: Bytes32, value: [UInt8])]) -> Bytes32 {
        if entries.isEmpty { return emptyRoot }
        let sorted = entries.sorted { $0.key < $1.key }.map { entry in
            (entry.key.bytes.flatMap { [$0 >> 4, $0 & 15] }, entry.value)
        }
        return Keccak256.hash(node(sorted[...], depth: 0))
    }

    /// The root of the world state.
    static func stateRoot(_ accounts: [Address: MemoryReader.Account]) -> Bytes32 {
        root(
            accounts.map { address, account in
                let storage = root(
                    account.storage.map { key, value in
                        var writer = RLPWriter()
                        writer.integer(value)
                        return (Keccak256.hash(Bytes32(key)), writer.bytes)
                    })
                return (
                    Keccak256.hash(address),
                    RLPWriter.list {
                        $0.integer(account.nonce)
                        $0.integer(account.balance)
                        $0.bytes(storage)
                        $0.bytes(Keccak256.hash(account.code))
                    }
                )
            })
    }

    private typealias Entries = ArraySlice<([UInt8], [UInt8])>

    private static func node(_ entries: Entries, depth: Int) -> [UInt8] {
        guard let first = entries.first, let last = entries.last else { return [0x80] }
        if entries.count == 1 {
            return RLPWriter.list {
                $0.bytes(path(first.0[depth...], isLeaf: true))
                $0.bytes(first.1)
            }
        }
        // Sorted: what the first and last share, all share.
        var shared = depth
        while first.0[shared] == last.0[shared] { shared += 1 }
        if shared > depth {
            let child = node(entries, depth: shared)
            return RLPWriter.list {
                $0.bytes(path(first.0[depth..<shared], isLeaf: false))
                reference(child, &$0)
            }
        }
        return RLPWriter.list { writer in
            var rest = entries
            for digit in 0..<UInt8(16) {
                let part = rest.prefix { $0.0[depth] == digit }
                rest = rest.dropFirst(part.count)
                if part.isEmpty { writer.bytes([]) } else { reference(node(part, depth: depth + 1), &writer) }
            }
            writer.bytes([])
        }
    }

    private static func reference(_ node: [UInt8], _ writer: inout RLPWriter) {
        if node.count < 32 { writer.raw(node) } else { writer.bytes(Keccak256.hash(node)) }
    }

    private static func path(_ digits: ArraySlice<UInt8>, isLeaf: Bool) -> [UInt8] {
        let flag: UInt8 = isLeaf ? 0x20 : 0
        var rest = digits
        var bytes: [UInt8] = []
        if digits.count % 2 == 1 { bytes.append(flag | 0x10 | rest.removeFirst()) } else { bytes.append(flag) }
        while let high = rest.popFirst(), let low = rest.popFirst() { bytes.append(high << 4 | low) }
        return bytes
    }
}
