package import EthereumAdapter
package import Primitives

/// Which transfer an account makes with which nonce: fixed beforehand, so that from the nonces on the chain follows what
/// every balance must be.
package struct TransferPlan: Sendable {
    /// What is transferred.
    package enum Asset: Sendable, Hashable {
        /// One wei.
        case ether
        /// One unit of the token at the address.
        case token(Address)
    }

    /// What is transferred.
    package let asset: Asset
    /// The accounts, which pay one another.
    package let wallets: [Wallet]
    /// The chain.
    package let chainID: UInt64
    /// Wei per gas, which is paid in full: tip and cap are the same.
    package let gasPrice: UInt256

    /// A plan.
    package init(asset: Asset, wallets: [Wallet], chainID: UInt64, gasPrice: UInt256) {
        self.asset = asset
        self.wallets = wallets
        self.chainID = chainID
        self.gasPrice = gasPrice
    }

    /// Gas of a plain transfer (Yellow Paper, appendix G).
    static let etherGas: UInt64 = 21_000
    private static let tokenGasLimit: UInt64 = 100_000

    /// Whom an account pays with a nonce: any other one.
    package func recipient(of account: Int, nonce: UInt64) -> Int {
        let count = wallets.count
        guard count > 1 else { return account }
        let drawn = Int(SplitMix.mix(UInt64(account) << 40 ^ nonce) % UInt64(count - 1))
        return drawn >= account ? drawn + 1 : drawn
    }

    /// The terms.
    package func transaction(of account: Int, nonce: UInt64) -> Transaction {
        let recipient = wallets[recipient(of: account, nonce: nonce)].address
        switch asset {
        case .ether:
            return Transaction(
                kind: .dynamicFee, chainID: chainID, nonce: nonce, maxPriorityFeePerGas: gasPrice,
                maxFeePerGas: gasPrice, gasLimit: Self.etherGas, to: recipient, value: UInt256.one)
        case .token(let contract):
            return Transaction(
                kind: .dynamicFee, chainID: chainID, nonce: nonce, maxPriorityFeePerGas: gasPrice,
                maxFeePerGas: gasPrice, gasLimit: Self.tokenGasLimit, to: contract,
                input: Token.transfer(to: recipient, amount: .one))
        }
    }

    /// The hex text, with `0x`, of the signed transaction.
    package func signedText(of account: Int, nonce: UInt64) -> [UInt8] {
        Array(Hex.encodePrefixed(wallets[account].sign(transaction(of: account, nonce: nonce)).encoded).utf8)
    }

    /// Signs transactions of all accounts on all processors.
    /// - Parameters:
    ///   - nonces: the first nonce of each account.
    ///   - count: transactions of each account.
    package func presign(from nonces: [UInt64], count: Int) async -> [[[UInt8]]] {
        let stride = 16
        return await withTaskGroup(of: (Int, [[[UInt8]]]).self) { group in
            for start in Swift.stride(from: 0, to: wallets.count, by: stride) {
                group.addTask {
                    let accounts = start..<min(wallets.count, start + stride)
                    let signed = accounts.map { account in
                        (0..<count).map { signedText(of: account, nonce: nonces[account] + UInt64($0)) }
                    }
                    return (start, signed)
                }
            }
            var all = [[[UInt8]]](repeating: [], count: wallets.count)
            for await (start, signed) in group {
                for (offset, texts) in signed.enumerated() { all[start + offset] = texts }
            }
            return all
        }
    }

    /// The balance of each account in the asset, if it started with `initial` and executed its transfers from the first
    /// nonce up to, and without, the last.
    package func balances(initial: [UInt256], nonces: [Range<UInt64>]) -> [UInt256] {
        var balances = initial
        let cost: UInt256 = asset == .ether ? UInt256.one &+ gasPrice &* UInt256(Self.etherGas) : .one
        for (account, range) in nonces.enumerated() {
            for nonce in range {
                balances[account] = balances[account] &- cost
                let recipient = recipient(of: account, nonce: nonce)
                balances[recipient] = balances[recipient] &+ .one
            }
        }
        return balances
    }
}

/// The ERC-20 contract of the bench: compiled by Vyper 0.4.3 from a plain `transfer`, `balanceOf` and `totalSupply`; the
/// creator gets the whole supply.
enum Token {
    /// Init code; the supply must follow as a word.
    static let initCode =
        Hex.decode(
            """
            346100375760206101915f395f5160015560206101915f395f515f336020525f5260405f205561012061003b61000039610120610000f3\
            5b5f80fd5f3560e01c60026003821660011b61011801601e395f51565b63a9059cbb811861011057604436103417610114576004358060\
            a01c610114576040525f336020525f5260405f20805460243580820382811161011457905090508155505f6040516020525f5260405f20\
            80546024358082018281106101145790509050815550604051337fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4d\
            f523b3ef60243560605260206060a3600160605260206060f35b6370a0823181186100f457602436103417610114576004358060a01c61\
            0114576040525f6040516020525f5260405f205460605260206060f35b6318160ddd811861011057346101145760015460405260206040\
            f35b5f5ffd5b5f80fd011000ba01100018855820c7e1834a03f738c0cd676a0baac277003b78a57b96cbcfd4568a5f329d8c3819190120\
            810800a1657679706572830004030036
            """) ?? []

    /// `transfer(address,uint256)`.
    static func transfer(to recipient: Address, amount: UInt256) -> [UInt8] {
        [0xa9, 0x05, 0x9c, 0xbb] + UInt256(recipient).bytes + amount.bytes
    }

    /// `balanceOf(address)`.
    static func balance(of owner: Address) -> [UInt8] { [0x70, 0xa0, 0x82, 0x31] + UInt256(owner).bytes }
}
