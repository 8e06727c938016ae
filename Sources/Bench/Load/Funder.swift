internal import EthereumAdapter
internal import Host
internal import Primitives
internal import Transport

/// Gives the bench's accounts what they will transfer, from an account that has it.
struct Funder {
    private let wallet: Wallet
    private let session: NodeSession
    private let node: HTTPEndpoint
    private let chainID: UInt64
    private let gasPrice: UInt256
    private var nonce: UInt64

    /// Wei that an account gets beyond what its gas may cost.
    static let etherEach = UInt256(1_000_000_000_000_000 as UInt64)
    /// Units of the token that an account gets.
    static let tokensEach = UInt256(1_000_000_000 as UInt64)
    private static let batch = 100

    /// Reads chain id, gas price and the funder's nonce from the network.
    init(wallet: Wallet, session: NodeSession, node: HTTPEndpoint) async throws(BenchError) {
        self.wallet = wallet
        self.session = session
        self.node = node
        chainID = try await session.call("eth_chainId", [], of: node).result.asUInt64()
        gasPrice = try await session.call("eth_gasPrice", [], of: node).result.asUInt256()
        nonce = try await session.call(
            "eth_getTransactionCount", [.string(wallet.address.hex), "latest"], of: node
        ).result.asUInt64()
    }

    /// The plan of transfers among `wallets`, who have what they need when this returns.
    /// - Parameter transfersEach: transfers that an account's ether must pay the gas of.
    mutating func prepare(
        _ workload: Workload, wallets: [Wallet], transfersEach: UInt64
    ) async throws(BenchError) -> TransferPlan {
        let gas: UInt64 = workload == .erc20 ? 100_000 : TransferPlan.etherGas
        let ether = Self.etherEach &+ gasPrice &* UInt256(gas) &* UInt256(transfersEach)
        if workload == .transfers || !gasPrice.isZero {
            try await send(
                wallets.map { wallet in
                    transaction(to: wallet.address, gas: TransferPlan.etherGas, value: ether)
                })
        }
        guard workload == .erc20 else {
            return plan(.ether, wallets)
        }
        let contract = try await deploy(supply: Self.tokensEach &* UInt256(wallets.count))
        try await send(
            wallets.map { wallet in
                transaction(
                    to: contract, gas: 100_000, input: Token.transfer(to: wallet.address, amount: Self.tokensEach))
            })
        return plan(.token(contract), wallets)
    }

    private func plan(_ asset: TransferPlan.Asset, _ wallets: [Wallet]) -> TransferPlan {
        TransferPlan(asset: asset, wallets: wallets, chainID: chainID, gasPrice: gasPrice)
    }

    private mutating func transaction(
        to: Address?, gas: UInt64, value: UInt256 = .zero, input: [UInt8] = []
    ) -> SignedTransaction {
        defer { nonce += 1 }
        return wallet.sign(
            Transaction(
                kind: .dynamicFee, chainID: chainID, nonce: nonce, maxPriorityFeePerGas: gasPrice,
                maxFeePerGas: gasPrice, gasLimit: gas, to: to, value: value, input: input))
    }

    private mutating func deploy(supply: UInt256) async throws(BenchError) -> Address {
        let creation = transaction(to: nil, gas: 2_000_000, input: Token.initCode + supply.bytes)
        try await send([creation])
        let receipt = try await session.call(
            "eth_getTransactionReceipt", [.string(creation.hash.hex)], of: node
        ).result
        guard receipt["status"]?.string == "0x1",
            let contract = receipt["contractAddress"]?.string.flatMap({ Address(hex: $0) })
        else {
            throw .refused("the token contract was not made: \(String(decoding: receipt.serialized(), as: UTF8.self))")
        }
        return contract
    }

    /// Sends transactions, whose nonces follow one another, and waits until all are executed. What the network does not
    /// take now, or loses with a primary, goes again: that is safe, since a nonce counts once.
    private func send(_ transactions: [SignedTransaction]) async throws(BenchError) {
        guard let first = transactions.first?.transaction.nonce else { return }
        let end = first + UInt64(transactions.count)
        var start = 0
        var executed = 0
        var progressBy = Self.patience
        while true {
            while start < transactions.count {
                let part = transactions[start..<min(transactions.count, start + Self.batch)]
                let taken = try await submit(part)
                start += taken
                if taken > 0 { progressBy = Self.patience }
                guard taken < part.count else { continue }
                guard HostClock.monotonicMicroseconds() < progressBy else {
                    throw .busy("the network takes no transactions: busy")
                }
                try await pause()
            }
            let reached = try await wait(for: end)
            if reached >= end { return }
            guard HostClock.monotonicMicroseconds() < progressBy else {
                throw .timeout("the funder's transactions are not executed: nonce \(reached) of \(end)")
            }
            let done = Int(clamping: reached - min(reached, first))
            if done > executed { progressBy = Self.patience }
            executed = done
            start = done
        }
    }

    /// How long nothing may move forward, as a moment from now.
    private static var patience: UInt64 { HostClock.monotonicMicroseconds() + 60_000_000 }

    /// Sends some transactions in one request.
    /// - Returns: how many of them, from the first on, were taken; the rest was answered with "busy", or waits for those.
    private func submit(_ part: ArraySlice<SignedTransaction>) async throws(BenchError) -> Int {
        let calls = part.enumerated().map { index, transaction in
            RPCText.submit(hex: Array(Hex.encodePrefixed(transaction.encoded).utf8), id: index)
        }
        let answers: [JSON]
        do throws(BenchError) {
            answers = try await session.batchAnswers(RPCText.batch(calls), count: part.count, of: node)
        } catch {
            guard error.isBusy else { throw error }
            return 0
        }
        var taken = 0
        for answer in answers {
            if answer["result"]?.string != nil {
                taken += 1
                continue
            }
            let message = answer["error"]?["message"]?.string ?? "no answer"
            // Repeated after a change of primary: it was executed before.
            if message.hasPrefix("nonce too low") {
                taken += 1
                continue
            }
            if answer["error"]?["code"]?.integer == RPCText.busyCode || LoadAnswer.isUnknown(message) { break }
            throw .refused("funding the accounts from \(wallet.address.hex): " + message)
        }
        return taken
    }

    /// Waits for a while until the funder's nonce is `wanted`, and gives what it is.
    private func wait(for wanted: UInt64) async throws(BenchError) -> UInt64 {
        let deadline = HostClock.monotonicMicroseconds() + 5_000_000
        while true {
            let reached = try await session.call(
                "eth_getTransactionCount", [.string(wallet.address.hex), "latest"], of: node
            ).result.asUInt64()
            if reached >= wanted || HostClock.monotonicMicroseconds() >= deadline { return reached }
            try await pause()
        }
    }

    private func pause() async throws(BenchError) {
        do { try await Task.sleep(for: .milliseconds(20)) } catch { throw .timeout("cancelled") }
    }
}

extension JSON {
    /// A quantity of JSON-RPC.
    func asUInt256() throws(BenchError) -> UInt256 {
        guard let value = string.flatMap({ UInt256(hex: $0) }) else {
            throw .unexpectedAnswer(
                "an answer is no quantity: \(String(decoding: serialized().prefix(100), as: UTF8.self))")
        }
        return value
    }

    /// A quantity of JSON-RPC below 2^64.
    func asUInt64() throws(BenchError) -> UInt64 {
        guard let value = try asUInt256().asUInt64 else { throw .unexpectedAnswer("a quantity is over 64 bits") }
        return value
    }
}
