/// What the bench sends.
public enum Workload: String, Sendable, CaseIterable {
    /// Signed transfers of ether among many accounts.
    case transfers
    /// Signed transfers of an ERC-20 token among many accounts.
    case erc20
    /// Transactions of Ethereum's main network, block by block on fresh state; loads are not measured.
    case mainnet
}

/// How a load is driven.
public enum LoadLoop: String, Sendable, CaseIterable {
    /// Clients with one request under way each.
    case closed
    /// Requests at a rate, whatever the network does.
    case open
}
