import Bench
import EVM
import EthereumAdapter
import Primitives
import Testing
import Transport

@Suite("Load")
struct LoadTests {
    private func plan(_ count: Int, asset: TransferPlan.Asset = .ether, gasPrice: UInt64 = 0) -> TransferPlan {
        TransferPlan(
            asset: asset, wallets: (0..<count).map { Wallet(seed: 1, index: $0) }, chainID: 1337,
            gasPrice: UInt256(gasPrice))
    }

    @Test("a wallet's address is that of its key, and it signs what recovers to it")
    func wallet() throws {
        let key = try #require(Hex.decode("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))
        let wallet = try #require(Wallet(key: key))
        #expect(wallet.address.hex == "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266")
        let signed = wallet.sign(plan(2).transaction(of: 0, nonce: 7))
        #expect(try SignedTransaction(decoding: signed.encoded).sender(chainID: 1337, fork: .cancun) == wallet.address)
        #expect(Wallet(key: [UInt8](repeating: 0, count: 32)) == nil)
        #expect(Wallet(key: [1]) == nil)
    }

    @Test("nobody pays himself, and what is paid arrives")
    func transfers() {
        let plan = plan(5, gasPrice: 2)
        for account in 0..<5 {
            for nonce in 0..<200 as Range<UInt64> { #expect(plan.recipient(of: account, nonce: nonce) != account) }
        }
        let initial = [UInt256](repeating: UInt256(1_000_000_000 as UInt64), count: 5)
        let after = plan.balances(initial: initial, nonces: [0..<3, 0..<0, 5..<7, 0..<1, 0..<0])
        let lost = 6 * 2 * TransferPlan.etherGasForTests
        let sum = after.reduce(UInt256.zero) { $0 &+ $1 }
        #expect(sum == UInt256(5_000_000_000 - lost))
    }

    @Test("presigned transactions are those of the plan, in every account's order")
    func presign() async throws {
        let plan = plan(20)
        let signed = await plan.presign(from: [UInt64](repeating: 3, count: 20), count: 2)
        #expect(signed.count == 20)
        for (account, texts) in signed.enumerated() {
            #expect(texts == [plan.signedText(of: account, nonce: 3), plan.signedText(of: account, nonce: 4)])
        }
        let raw = try #require(Hex.decode(String(decoding: signed[19][1], as: UTF8.self)))
        let transaction = try SignedTransaction(decoding: raw)
        #expect(transaction.transaction.nonce == 4)
        #expect(try transaction.sender(chainID: 1337, fork: .cancun) == plan.wallets[19].address)
    }

    @Test("an account has one transaction under way; a busy answer gives it the same again")
    func book() {
        let plan = plan(2)
        var book = AccountBook(plan: plan, nonces: [10, 20])
        book.supply([[[1], [2]], [[3]]])
        func take() -> [UInt8]? { book.take()?.text }
        #expect(take() == [1])
        #expect(take() == [3])
        #expect(take() == nil)
        book.finish(0, .notTaken)
        #expect(take() == [1])
        book.finish(0, .acknowledged)
        #expect(take() == [2])
        book.finish(0, .unknown)
        #expect(book.freeCount == 0)
        book.finish(1, .acknowledged)
        #expect(book.signedLate == 0)
        #expect(take() == plan.signedText(of: 1, nonce: 21))
        #expect(book.signedLate == 1)
        #expect(book.acknowledged == 2)
        #expect(book.nextNonces == [11, 21])
    }

    @Test("a queue gives back in order, however long it lives")
    func queue() {
        var queue = FIFO<Int>()
        var next = 0
        for value in 0..<10_000 {
            queue.append(value)
            if value % 3 != 0 {
                let first = queue.popFirst()
                #expect(first == next)
                next += 1
            }
        }
        #expect(queue.count == 10_000 - next)
        while let value = queue.popFirst() {
            #expect(value == next)
            next += 1
        }
        #expect(queue.isEmpty)
    }

    @Test("what could not be sent is sent again; what may have arrived is unknown")
    func failures() {
        let gone = TransportError.connect("gone")
        #expect(LoadAnswer.verdicts(.failure(gone), count: 2) == [.unreachable("\(gone)"), .unreachable("\(gone)")])
        let lost = TransportError.closed("lost", sent: true)
        #expect(LoadAnswer.verdicts(.failure(lost), count: 1) == [.unknown("\(lost)")])
    }

    @Test("answers: done, busy, refused, unknown")
    func verdicts() {
        func verdicts(_ text: String, status: Int = 200, count: Int = 1) -> [LoadAnswer.Verdict] {
            LoadAnswer.verdicts(status: status, body: Array(text.utf8), count: count)
        }
        #expect(verdicts(#"{"jsonrpc":"2.0","id":0,"result":"0xab"}"#) == [.acknowledged])
        #expect(verdicts(#"{"id":0,"jsonrpc":"2.0","result":"0xab"}"#) == [.acknowledged])
        #expect(
            verdicts(#"{"jsonrpc":"2.0","id":0,"error":{"code":-32005,"message":"busy"}}"#) == [.busy("busy")])
        #expect(
            verdicts(#"{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"nonce too low"}}"#)
                == [.refused("nonce too low")])
        #expect(
            verdicts(#"{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"outcome unknown, ask"}}"#)
                == [.unknown("outcome unknown")])
        #expect(verdicts("", status: 503, count: 2) == [.busy("HTTP 503"), .busy("HTTP 503")])
        #expect(verdicts("", status: 413) == [.refused("HTTP 413")])
        #expect(verdicts("", status: 504) == [.unknown("HTTP 504")])
        #expect(verdicts("nonsense") == [.unknown("the answer is not JSON")])
        #expect(
            verdicts(
                #"[{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"busy"}},{"jsonrpc":"2.0","id":0,"result":"0x1"}]"#,
                count: 2) == [.acknowledged, .busy("busy")])
        #expect(
            verdicts(#"[{"jsonrpc":"2.0","id":0,"result":"0x1"}]"#, count: 2)
                == [.unknown("a batch's answers are not complete"), .unknown("a batch's answers are not complete")])
    }
}

extension TransferPlan {
    fileprivate static var etherGasForTests: UInt64 { 21_000 }
}

@Suite("Proof of transfers")
struct TransferProofTests {
    private let plan = TransferPlan(
        asset: .ether, wallets: (0..<3).map { Wallet(seed: 2, index: $0) }, chainID: 1337, gasPrice: .zero)
    private let initial = AccountsState(
        nonces: [0, 4, 0], balances: [UInt256](repeating: UInt256(100 as UInt64), count: 3))

    /// A book in which accounts 0 and 1 had one transfer acknowledged each, and account 2 has one of unknown outcome.
    private func book() -> AccountBook {
        var book = AccountBook(plan: plan, nonces: initial.nonces)
        for _ in 0..<3 { _ = book.take() }
        book.finish(0, .acknowledged)
        book.finish(1, .acknowledged)
        book.finish(2, .unknown)
        return book
    }

    private func state(_ nonces: [UInt64]) -> AccountsState {
        let ranges = zip(initial.nonces, nonces).map { $0..<$1 }
        return AccountsState(nonces: nonces, balances: plan.balances(initial: initial.balances, nonces: ranges))
    }

    @Test("holds whether or not the unknown one was executed")
    func holds() {
        let proof = TransferProof(plan: plan, book: book(), initial: initial)
        for nonces in [[1, 5, 0], [1, 5, 1]] as [[UInt64]] {
            let checked = proof.check(state(nonces), node: "node1", subject: "transfers")
            #expect(checked.holds, "\(checked.problems)")
            #expect(checked.acknowledged == 2)
        }
    }

    @Test("a lost one, one too many, and a wrong balance are found")
    func fails() {
        let proof = TransferProof(plan: plan, book: book(), initial: initial)
        #expect(!proof.check(state([0, 5, 0]), node: "n", subject: "t").holds)
        #expect(!proof.check(state([1, 6, 0]), node: "n", subject: "t").holds)
        // Lost here, twice there: the sum alone would not tell.
        #expect(!proof.check(state([0, 6, 0]), node: "n", subject: "t").holds)
        var wrong = state([1, 5, 0])
        wrong.balances[1] = wrong.balances[1] &+ .one
        #expect(!proof.check(wrong, node: "n", subject: "t").holds)
    }
}
