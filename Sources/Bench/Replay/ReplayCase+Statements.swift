internal import EVM
package import EthereumAdapter
internal import Primitives

extension ReplayCase {
    /// What of the file is wrong in itself, without executing anything: the header and its hash, the fork, the roots of
    /// transactions and withdrawals.
    package func checkStatements() -> [ReplayFinding] {
        var findings: [ReplayFinding] = []
        func check(_ subject: String, _ expected: String, _ actual: String) {
            if expected != actual { findings.append(.init(subject, expected: expected, actual: actual)) }
        }
        check("hash", hash.hex, Keccak256.hash(headerRLP).hex)
        check("header", Hex.encodePrefixed(headerRLP), Hex.encodePrefixed(header.encoded))
        if chainID == ChainConfiguration.mainnet.chainID {
            check(
                "fork", "\(fork)", "\(ChainConfiguration.mainnet.fork(number: header.number, time: header.timestamp))")
        }
        check(
            "header.transactionsRoot", header.transactionsRoot.hex,
            OrderedTrie.root(indexed: transactions.map(\.raw)).hex)
        if let withdrawals {
            check(
                "header.withdrawalsRoot", header.withdrawalsRoot?.hex ?? "none",
                OrderedTrie.root(indexed: withdrawals.map(\.encoded)).hex)
        }
        return findings
    }

    /// What the network's receipts say otherwise of the transactions themselves: hash, sender, type.
    func checkTransactions(_ receipts: [JSON]) -> [ReplayFinding] {
        var findings: [ReplayFinding] = []
        for (index, (entry, receipt)) in zip(transactions, receipts).enumerated() {
            for (name, member, expected) in [
                ("hash", "transactionHash", entry.hash.hex), ("from", "from", entry.sender.hex),
                ("type", "type", UInt256(entry.kind).hex),
            ] {
                let actual = receipt[member]?.string ?? "nothing"
                if actual != expected {
                    findings.append(.init("transactions[\(index)].\(name)", expected: expected, actual: actual))
                }
            }
        }
        return findings
    }
}
