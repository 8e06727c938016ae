import EVM
import EthereumAdapter
import Foundation
import Primitives
import Testing

@Suite("Transactions")
struct TransactionTests {
    /// The example of EIP-155, byte by byte.
    @Test func eip155Example() throws {
        let transaction = Transaction(
            chainID: 1, nonce: 9, gasPrice: UInt256(20_000_000_000 as UInt64), gasLimit: 21_000,
            to: Address(hex: "3535353535353535353535353535353535353535"),
            value: UInt256(1_000_000_000_000_000_000 as UInt64))
        #expect(transaction.signingHash.hex == "0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53")
        let raw = try #require(
            Hex.decode(
                "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd9"
                    + "39bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc"
                    + "64214b297fb1966a3b6d83"))
        let signed = try SignedTransaction(decoding: raw)
        #expect(signed.transaction == transaction)
        #expect(signed.v == UInt256(37 as UInt64))
        #expect(
            try signed.sender(chainID: 1, fork: .cancun)
                == Address(hex: "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"))
        #expect(SignedTransaction(transaction, signature: signed.signature) == signed)
        #expect(throws: TransactionError(.invalidChainID)) { try signed.sender(chainID: 2, fork: .cancun) }
        #expect(throws: TransactionError(.invalidSignature)) { try signed.sender(chainID: 1, fork: .homestead) }
    }

    @Test func everyTypeSurvivesItsEncoding() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<400 {
            let signed = Self.randomTransaction(&random)
            let decoded = try SignedTransaction(decoding: signed.encoded)
            #expect(decoded == signed)
        }
    }

    /// Damaged bytes either fail with a typed error, or are another canonical transaction.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func damagedBytesNeverTrap(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let rounds = SharedData.runsAll ? 100_000 : 3_000
        for _ in 0..<rounds {
            var bytes = Self.randomTransaction(&random).encoded
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
                case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...9, using: &random)))
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
                if bytes.isEmpty { bytes = [0] }
            }
            guard let decoded = try? SignedTransaction(decoding: bytes) else { continue }
            #expect(
                SignedTransaction(decoded.transaction, signature: decoded.signature).encoded == bytes,
                "seed \(seed): \(Hex.encode(bytes))")
            _ = try? decoded.sender(chainID: 1, fork: .cancun)
            _ = decoded.transaction.intrinsicGas(.cancun)
        }
    }

    @Test func rulesNameWhatIsWrong() throws {
        let base = Transaction(
            kind: .dynamicFee, chainID: 1, nonce: 5, maxPriorityFeePerGas: .one, maxFeePerGas: UInt256(10 as UInt64),
            gasLimit: 21_000, to: .zero, value: UInt256(100 as UInt64))
        let terms = BlockTerms(fork: .cancun, baseFee: UInt256(7 as UInt64), gasLeft: 1_000_000)
        let rich = AccountState(nonce: 5, balance: UInt256(210_100 as UInt64))
        try base.validate(sender: rich, in: terms)
        func refused(
            _ code: TransactionError.Code, _ account: AccountState? = rich, _ terms: BlockTerms = terms,
            _ change: (inout Transaction) -> Void = { _ in }
        ) {
            var transaction = base
            change(&transaction)
            #expect(throws: TransactionError(code)) { try transaction.validate(sender: account, in: terms) }
        }
        var other = rich
        other.nonce = 6
        refused(.nonceTooLow, other)
        other.nonce = 4
        refused(.nonceTooHigh, other)
        other = rich
        other.balance = other.balance &- .one
        refused(.insufficientFunds, other)
        refused(.nonceTooHigh, nil)
        other = rich
        other.codeHash = .zero
        refused(.senderNotEOA, other)
        var block = terms
        block.baseFee = UInt256(11 as UInt64)
        refused(.feeCapTooLow, rich, block)
        block = terms
        block.gasLeft = 20_999
        refused(.gasLimitReached, rich, block)
        block = terms
        block.fork = .berlin
        refused(.unsupportedType, rich, block)
        refused(.tipAboveFeeCap) { $0.maxPriorityFeePerGas = UInt256(11 as UInt64) }
        refused(.nonceMax) { $0.nonce = .max }
        refused(.intrinsicGas) { $0.gasLimit = 20_999 }
        refused(.feeOverflow) { $0.maxFeePerGas = .max }
        refused(.insufficientFunds) { $0.value = .max }
        refused(.initCodeTooLarge) {
            $0.to = nil
            $0.input = Array(repeating: 0, count: Transaction.initCodeLengthMax + 1)
        }
        let blob: (inout Transaction) -> Void = {
            $0.kind = .blob
            $0.maxFeePerBlobGas = .one
            $0.blobVersionedHashes = [Bytes32(UInt256(1 as UInt64) << 248)]
        }
        refused(.noBlobs) {
            blob(&$0)
            $0.blobVersionedHashes = []
        }
        refused(.invalidBlobHash) {
            blob(&$0)
            $0.blobVersionedHashes = [.zero]
        }
        refused(.tooManyBlobs, rich, terms, blob)
        refused(.blobCreate) {
            blob(&$0)
            $0.to = nil
        }
        var prague = terms
        prague.fork = .prague
        let setCode: (inout Transaction) -> Void = {
            $0.kind = .setCode
            $0.gasLimit = 100_000
            $0.authorizations = [
                .init(chainID: .one, address: .zero, nonce: 0, yParity: 0, r: .one, s: .one)
            ]
        }
        refused(.unsupportedType, rich, terms, setCode)
        refused(.noAuthorizations, rich, prague) {
            setCode(&$0)
            $0.authorizations = []
        }
        refused(.setCodeCreate, rich, prague) {
            setCode(&$0)
            $0.to = nil
        }
        refused(.intrinsicGas, rich, prague) {
            setCode(&$0)
            $0.gasLimit = 45_999
        }
        // 1,000 bytes that are not zero: 16 gas each to execute, 40 each at least.
        refused(.floorGas, rich, prague) {
            $0.input = Array(repeating: 1, count: 1_000)
            $0.gasLimit = 60_999
        }
        var osaka = terms
        osaka.fork = .osaka
        osaka.gasLeft = 30_000_000
        refused(.gasLimitTooHigh, rich, osaka) { $0.gasLimit = 1 << 24 + 1 }
        block = terms
        block.blobGasLeft = 1 << 20
        refused(.insufficientFunds, rich, block, blob)
        block.blobBaseFee = UInt256(2 as UInt64)
        refused(.blobFeeCapTooLow, rich, block, blob)
    }

    /// EIP-7702: the authority is who signed 0x05 ‖ RLP([chain id, address, nonce]), with a low s and a parity of one bit.
    @Test func authorities() throws {
        let wallet = Wallet(7)
        let target = try #require(Address(hex: "00000000000000000000000000000000000c0de0"))
        let signed = RLPWriter.list {
            $0.integer(UInt256(5 as UInt64))
            $0.bytes(target)
            $0.integer(3 as UInt64)
        }
        let signature = wallet.sign(Keccak256.hash([0x05] + signed))
        func authority(_ change: (inout Authorization) -> Void = { _ in }) -> Address? {
            var authorization = Authorization(
                chainID: UInt256(5 as UInt64), address: target, nonce: 3, yParity: signature.yParity ? 1 : 0,
                r: signature.r, s: signature.s)
            change(&authorization)
            return authorization.authority
        }
        #expect(authority() == wallet.address)
        #expect(authority { $0.nonce = 4 } != wallet.address)
        #expect(authority { $0.chainID = .zero } != wallet.address)
        #expect(authority { $0.yParity += 2 } == nil)
        #expect(authority { $0.r = .zero } == nil)
        // The same signature's other form is refused.
        let order: UInt256 = 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_fffe_baae_dce6_af48_a03b_bfd2_5e8c_d036_4141
        let twin = authority {
            $0.s = order &- $0.s
            $0.yParity ^= 1
        }
        #expect(twin == nil)
    }

    static func randomTransaction(_ random: inout SeededGenerator) -> SignedTransaction {
        func word() -> UInt256 {
            let shift = Int.random(in: 0...255, using: &random)
            return UInt256(random.next(), random.next(), random.next(), random.next()) >> shift
        }
        func small() -> UInt64 { random.next() >> UInt64.random(in: 0...63, using: &random) }
        let kind = Transaction.Kind.allCases.randomElement(using: &random) ?? .legacy
        let price = word()
        var transaction = Transaction(
            kind: kind, chainID: kind == .legacy && Bool.random(using: &random) ? nil : small(), nonce: small(),
            maxPriorityFeePerGas: price, maxFeePerGas: kind == .legacy || kind == .accessList ? price : word(),
            gasLimit: small(),
            to: kind != .setCode && Bool.random(using: &random) ? nil : Address(truncating: word()), value: word(),
            input: (0..<Int.random(in: 0...80, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
        if kind != .legacy {
            transaction.accessList = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                .init(
                    address: Address(truncating: word()),
                    slots: (0..<Int.random(in: 0...3, using: &random)).map { _ in Bytes32(word()) })
            }
        }
        if kind == .blob {
            transaction.maxFeePerBlobGas = word()
            transaction.blobVersionedHashes = (0..<Int.random(in: 0...3, using: &random)).map { _ in Bytes32(word()) }
        }
        if kind == .setCode {
            transaction.authorizations = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                Authorization(
                    chainID: word(), address: Address(truncating: word()), nonce: small(),
                    yParity: UInt8.random(in: 0...255, using: &random), r: word(), s: word())
            }
        }
        return SignedTransaction(
            transaction, signature: Signature(r: word(), s: word(), yParity: Bool.random(using: &random)))
    }
}
