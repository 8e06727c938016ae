import Primitives

extension SignedTransaction {
    /// Reads the canonical bytes of a transaction of types 0 to 4: RLP, after the type byte if typed. The form that
    /// carries blobs along (EIP-4844's network form) is not taken.
    /// - Throws: ``TransactionError`` with a code `.malformed` that names the field, `.unsupportedType`, or
    ///   `.invalidSignature` for a v that no signature has.
    public init(decoding bytes: [UInt8]) throws(TransactionError) {
        try self.init(decoding: bytes, hash: Keccak256.hash(bytes))
    }

    /// The same where the bytes' hash is known already.
    init(decoding bytes: [UInt8], hash: Bytes32) throws(TransactionError) {
        guard let first = bytes.first else { throw TransactionError(.malformed, "empty input") }
        let kind: Transaction.Kind
        var body = bytes
        if first >= 0xc0 {
            kind = .legacy
        } else {
            guard first != 0, first < 0x80, let typed = Transaction.Kind(rawValue: first) else {
                throw TransactionError(first < 0x80 ? .unsupportedType : .malformed, "first byte \(first)")
            }
            kind = typed
            body.removeFirst()
        }
        var fields = try TransactionFields(body, kind)
        let transaction: Transaction
        let signature: Signature
        switch kind {
        case .legacy: (transaction, signature) = try fields.legacy()
        case .accessList, .dynamicFee, .blob, .setCode: (transaction, signature) = try fields.typed(kind)
        }
        self.init(transaction, signature: signature, encoded: bytes, hash: hash)
    }
}

/// Takes the fields of a transaction one by one, naming each for the error.
private struct TransactionFields {
    private var items: ArraySlice<RLPItem>
    /// Items in a message: an access list of a block's gas can't hold more.
    private static let itemsMax = 1 << 20

    init(_ body: [UInt8], _ kind: Transaction.Kind) throws(TransactionError) {
        do {
            items = try RLP.decode(body, depthMax: 4, itemsMax: TransactionFields.itemsMax).items()[...]
        } catch { throw TransactionError(.malformed, error.description) }
        let expected =
            switch kind {
            case .legacy: 9
            case .accessList: 11
            case .dynamicFee: 12
            case .blob: 14
            case .setCode: 13
            }
        // EIP-4844's network form wraps the transaction with its blobs; nobody here carries them.
        if kind == .blob, items.count == 4 || items.count == 5 {
            throw TransactionError(.unsupportedType, "blob transactions are not accepted: no node here carries blobs")
        }
        guard items.count == expected else {
            throw TransactionError(.malformed, "\(items.count) fields where a type \(kind.rawValue) has \(expected)")
        }
    }

    private mutating func take<T>(
        _ name: String, _ read: (RLPItem) throws(RLPError) -> T
    ) throws(TransactionError) -> T {
        guard let item = items.popFirst() else { throw TransactionError(.malformed, "\(name): missing") }
        do { return try read(item) } catch { throw TransactionError(.malformed, "\(name): \(error)") }
    }

    private mutating func uint64(_ name: String) throws(TransactionError) -> UInt64 {
        try take(name) { item throws(RLPError) in try item.uint64() }
    }

    private mutating func uint256(_ name: String) throws(TransactionError) -> UInt256 {
        try take(name) { item throws(RLPError) in try item.uint256() }
    }

    private mutating func bytes(_ name: String) throws(TransactionError) -> [UInt8] {
        try take(name) { item throws(RLPError) in try item.bytes() }
    }

    private mutating func recipient() throws(TransactionError) -> Address? {
        try take("to") { item throws(RLPError) in item.isEmptyBytes ? nil : try item.address() }
    }

    private mutating func accessList() throws(TransactionError) -> [Transaction.AccessListEntry] {
        try take("accessList") { item throws(RLPError) in
            var entries: [Transaction.AccessListEntry] = []
            for pair in try item.items() {
                let pair = try pair.items(exactly: 2)
                entries.append(.init(address: try pair[0].address(), slots: try Self.hashes(pair[1])))
            }
            return entries
        }
    }

    private static func hashes(_ item: RLPItem) throws(RLPError) -> [Bytes32] {
        var hashes: [Bytes32] = []
        for hash in try item.items() { hashes.append(try hash.bytes32()) }
        return hashes
    }

    mutating func legacy() throws(TransactionError) -> (Transaction, Signature) {
        var transaction = Transaction(
            chainID: nil, nonce: try uint64("nonce"), gasPrice: try uint256("gasPrice"),
            gasLimit: try uint64("gasLimit"), to: try recipient(), value: try uint256("value"),
            input: try bytes("input"))
        let v = try uint256("v")
        var parity = v.w0 & 1 == 0
        if v.asUInt64 != 27, v.asUInt64 != 28 {
            // v = 35 + parity + 2 * chain id.
            let (doubled, under) = v.subtractingReportingOverflow(UInt256(35 as UInt64))
            guard !under else { throw TransactionError(.invalidSignature, "v: \(v)") }
            guard let chainID = (doubled >> 1).asUInt64 else { throw TransactionError(.invalidChainID, "v: \(v)") }
            transaction.chainID = chainID
            parity = doubled.w0 & 1 == 1
        }
        return (transaction, Signature(r: try uint256("r"), s: try uint256("s"), yParity: parity))
    }

    mutating func typed(_ kind: Transaction.Kind) throws(TransactionError) -> (Transaction, Signature) {
        let chainID = try uint64("chainId")
        let nonce = try uint64("nonce")
        let price = try uint256(kind == .accessList ? "gasPrice" : "maxPriorityFeePerGas")
        var transaction = Transaction(
            kind: kind, chainID: chainID, nonce: nonce, maxPriorityFeePerGas: price,
            maxFeePerGas: kind == .accessList ? price : try uint256("maxFeePerGas"),
            gasLimit: try uint64("gasLimit"), to: try recipient(), value: try uint256("value"),
            input: try bytes("input"), accessList: try accessList())
        if kind == .blob {
            transaction.maxFeePerBlobGas = try uint256("maxFeePerBlobGas")
            transaction.blobVersionedHashes = try take("blobVersionedHashes") { item throws(RLPError) in
                try Self.hashes(item)
            }
        }
        if kind == .setCode {
            guard transaction.to != nil else { throw TransactionError(.setCodeCreate) }
            transaction.authorizations = try take("authorizationList") { item throws(RLPError) in
                var list: [Authorization] = []
                for each in try item.items() { list.append(try Authorization(each)) }
                return list
            }
        }
        let v = try uint256("yParity")
        guard let parity = v.asUInt64, parity <= 1 else { throw TransactionError(.invalidSignature, "yParity: \(v)") }
        return (transaction, Signature(r: try uint256("r"), s: try uint256("s"), yParity: parity == 1))
    }
}
