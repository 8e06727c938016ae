internal import Crypto
internal import FoundationEssentials
public import Primitives

/// The Merkle tree over the transactions of one batch; what it commits to is the entry's claims digest, so that a receipt
/// for one transaction is the entry's receipt and a path in here.
///
///     leaf i = SHA-256(0x00 ‖ salt_i, 16 bytes ‖ i, u32 big-endian ‖ digest_i, 32 bytes)
///     node   = SHA-256(0x01 ‖ left ‖ right), a node without a sibling rises unchanged
///     claims = SHA-256("entente/v1/batch" ‖ count, u32 big-endian ‖ root)
///
/// Salts keep a receipt from telling about its neighbours: without them, who guesses a transaction could prove the guess.
public struct BatchTree: Sendable {
    static let label = Array("entente/v1/batch".utf8)
    static let saltByteCount = 16

    /// The entry's claims digest.
    public let claimsDigest: Bytes32
    private let salts: [UInt8]
    private let digests: [Bytes32]
    private let levels: [[Bytes32]]

    /// Builds the tree.
    /// - Parameters:
    ///   - seed: ``EntryCipher/batchSeed(_:)``, 32 bytes.
    ///   - digests: what stands for each transaction, by what the manager defines; at least one.
    public init(seed: [UInt8], digests: [Bytes32]) {
        precondition(!digests.isEmpty && digests.count <= UInt32.max, "a batch of \(digests.count) transactions")
        self.digests = digests
        salts = Self.salts(seed, digests.count)
        var levels: [[Bytes32]] = []
        var level: [Bytes32] = []
        level.reserveCapacity(digests.count)
        for index in digests.indices {
            level.append(
                Self.leaf(
                    salt: salts[index * Self.saltByteCount..<(index + 1) * Self.saltByteCount], index: UInt32(index),
                    digest: digests[index]))
        }
        while level.count > 1 {
            levels.append(level)
            var next: [Bytes32] = []
            next.reserveCapacity((level.count + 1) / 2)
            for index in stride(from: 0, to: level.count - 1, by: 2) {
                next.append(Self.node(level[index], level[index + 1]))
            }
            if level.count % 2 == 1 { next.append(level[level.count - 1]) }
            level = next
        }
        levels.append(level)
        self.levels = levels
        claimsDigest = Self.claims(count: UInt32(digests.count), root: level[0])
    }

    /// Number of transactions.
    public var count: Int { digests.count }

    /// Proof that a transaction is in the batch; nil when the batch has no such index.
    public func proof(_ index: UInt32) -> BatchProof? {
        guard index < digests.count else { return nil }
        var place = Int(index)
        var steps: [MerkleStep] = []
        for level in levels.dropLast() {
            let sibling = place ^ 1
            if sibling < level.count { steps.append(MerkleStep(isLeft: sibling < place, hash: level[sibling])) }
            place >>= 1
        }
        let salt = Array(salts[Int(index) * Self.saltByteCount..<(Int(index) + 1) * Self.saltByteCount])
        return BatchProof(
            index: index, count: UInt32(digests.count), salt: salt, digest: digests[Int(index)],
            path: MerklePath(steps))
    }

    static func leaf(salt: ArraySlice<UInt8>, index: UInt32, digest: Bytes32) -> Bytes32 {
        withUnsafeTemporaryAllocation(byteCount: 53, alignment: 8) { buffer in
            buffer[0] = 0
            UnsafeMutableRawBufferPointer(rebasing: buffer[1..<17]).copyBytes(from: salt)
            buffer.storeBytes(of: index.bigEndian, toByteOffset: 17, as: UInt32.self)
            digest.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: buffer[21..<53]).copyMemory(from: $0) }
            return Digests.sha256(UnsafeRawBufferPointer(buffer))
        }
    }

    static func node(_ left: Bytes32, _ right: Bytes32) -> Bytes32 {
        withUnsafeTemporaryAllocation(byteCount: 65, alignment: 8) { buffer in
            buffer[0] = 1
            left.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: buffer[1..<33]).copyMemory(from: $0) }
            right.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: buffer[33..<65]).copyMemory(from: $0) }
            return Digests.sha256(UnsafeRawBufferPointer(buffer))
        }
    }

    static func claims(count: UInt32, root: Bytes32) -> Bytes32 {
        var bytes = label
        withUnsafeBytes(of: count.bigEndian) { bytes.append(contentsOf: $0) }
        root.withUnsafeBytes { bytes.append(contentsOf: $0) }
        return Digests.sha256(bytes)
    }

    /// The salts one after the other: an AES-256-CTR key stream, which costs far less than a hash each.
    private static func salts(_ seed: [UInt8], _ count: Int) -> [UInt8] {
        precondition(seed.count == 32, "a batch seed of \(seed.count) bytes")
        let zeros = [UInt8](repeating: 0, count: count * saltByteCount)
        guard let nonce = try? AES.GCM.Nonce(data: [UInt8](repeating: 0, count: 12)),
            let box = try? AES.GCM.seal(zeros, using: SymmetricKey(data: seed), nonce: nonce)
        else { preconditionFailure("no key stream of \(zeros.count) bytes") }
        return [UInt8](box.ciphertext)
    }
}

/// Proof that one transaction is in the batch that an entry's claims digest stands for.
public struct BatchProof: Sendable, Hashable {
    /// Place in the batch.
    public let index: UInt32
    /// Transactions in the batch.
    public let count: UInt32
    /// The leaf's salt, 16 bytes.
    public let salt: [UInt8]
    /// What stands for the transaction.
    public let digest: Bytes32
    /// The way from the leaf to the batch's root.
    public let path: MerklePath

    /// A proof as given.
    public init(index: UInt32, count: UInt32, salt: [UInt8], digest: Bytes32, path: MerklePath) {
        self.index = index
        self.count = count
        self.salt = salt
        self.digest = digest
        self.path = path
    }

    /// The claims digest that the proof leads to; nil when its path is not that of its index in a batch of its count.
    public var claimsDigest: Bytes32? {
        guard index < count, salt.count == BatchTree.saltByteCount else { return nil }
        var hash = BatchTree.leaf(salt: salt[...], index: index, digest: digest)
        var place = index
        var width = count
        var steps = path.steps[...]
        while width > 1 {
            if place ^ 1 < width {
                guard let step = steps.popFirst(), step.isLeft == (place & 1 == 1) else { return nil }
                hash = step.isLeft ? BatchTree.node(step.hash, hash) : BatchTree.node(hash, step.hash)
            }
            place >>= 1
            width = width / 2 + width % 2
        }
        return steps.isEmpty ? BatchTree.claims(count: count, root: hash) : nil
    }
}
