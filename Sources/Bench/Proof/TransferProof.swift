internal import EthereumAdapter
package import Primitives
internal import Transport

/// Every account's nonce and balance, as a node has them.
package struct AccountsState: Sendable, Equatable {
    package var nonces: [UInt64] = []
    package var balances: [UInt256] = []

    /// Asks a node for its committed state.
    init(of plan: TransferPlan, session: NodeSession, node: BenchNetwork.Node) async throws(BenchError) {
        let accounts = plan.wallets.map { [JSON.string($0.address.hex), "latest"] }
        for value in try await session.calls("eth_getTransactionCount", accounts, of: node.application) {
            nonces.append(try value.asUInt64())
        }
        switch plan.asset {
        case .ether:
            for value in try await session.calls("eth_getBalance", accounts, of: node.application) {
                balances.append(try value.asUInt256())
            }
        case .token(let contract):
            let calls = plan.wallets.map { wallet -> [JSON] in
                let data = Hex.encodePrefixed(Token.balance(of: wallet.address))
                return [["to": .string(contract.hex), "data": .string(data)], "latest"]
            }
            for value in try await session.calls("eth_call", calls, of: node.application) {
                guard let word = value.string.flatMap({ Hex.decode($0) }), let amount = UInt256(bigEndian: word) else {
                    throw .unexpectedAnswer("\(node.name): a balance of the token is no word")
                }
                balances.append(amount)
            }
        }
    }

    package init(nonces: [UInt64], balances: [UInt256]) {
        self.nonces = nonces
        self.balances = balances
    }
}

/// Holds a node's state against what was acknowledged: every nonce, and every balance that follows from the nonces.
package struct TransferProof {
    package let plan: TransferPlan
    package let book: AccountBook
    /// The state before the first transfer.
    package let initial: AccountsState

    /// A proof to be.
    package init(plan: TransferPlan, book: AccountBook, initial: AccountsState) {
        self.plan = plan
        self.book = book
        self.initial = initial
    }

    /// Problems named of one node at most.
    private static let problemsMax = 5

    /// What a node's state says.
    package func check(_ state: AccountsState, node: String, subject: String) -> NodeProof {
        var proof = NodeProof(
            name: node, acknowledged: book.acknowledged, unknown: book.entries.reduce(0) { $0 + $1.unknown },
            committed: 0, compared: book.entries.count, subject: subject)
        var problems: [String] = []
        var executed: [Range<UInt64>] = []
        for (index, (entry, nonce)) in zip(book.entries, state.nonces).enumerated() {
            let end = max(nonce, entry.firstNonce)
            proof.committed += end - entry.firstNonce
            executed.append(entry.firstNonce..<end)
            guard nonce < entry.nextNonce || nonce > entry.nextNonce + entry.unknown else { continue }
            problems.append(
                "\(plan.wallets[index].address.hex) has nonce \(nonce); acknowledged is up to \(entry.nextNonce)"
                    + (entry.unknown > 0 ? ", the outcome of one more is unknown" : ""))
        }
        let expected = plan.balances(initial: initial.balances, nonces: executed)
        for (index, (balance, wanted)) in zip(state.balances, expected).enumerated() where balance != wanted {
            problems.append("\(plan.wallets[index].address.hex) has balance \(balance); its transfers leave \(wanted)")
        }
        proof.problems = Array(problems.prefix(Self.problemsMax))
        if problems.count > Self.problemsMax { proof.problems.append("and \(problems.count - Self.problemsMax) more") }
        return proof
    }
}
