import EVM
import EthereumAdapter
import Primitives
import Testing

@Suite("Chain configuration and fees")
struct ChainConfigurationTests {
    @Test func mainnetForks() {
        let chain = ChainConfiguration.mainnet
        let expected: [(UInt64, UInt64, Fork)] = [
            (0, 0, .frontier), (1_149_999, 0, .frontier), (1_150_000, 0, .homestead),
            (2_463_000, 0, .tangerineWhistle), (2_675_000, 0, .spuriousDragon), (4_370_000, 0, .byzantium),
            (7_280_000, 0, .petersburg), (9_069_000, 0, .istanbul), (12_244_000, 0, .berlin),
            (12_965_000, 0, .london), (15_537_393, 1_700_000_000, .london), (15_537_394, 1_663_224_179, .paris),
            (17_034_870, 1_681_338_455, .shanghai), (19_426_587, 1_710_338_135, .cancun),
            (22_431_084, 1_746_612_311, .prague), (24_000_000, 1_764_798_551, .osaka),
        ]
        for (number, time, fork) in expected { #expect(chain.fork(number: number, time: time) == fork) }
    }

    @Test(arguments: Fork.allCases)
    func oneForkFromTheStart(fork: Fork) {
        #expect(ChainConfiguration(chainID: 5, fork: fork).fork(number: 0, time: 0) == fork)
    }

    /// The vectors of go-ethereum's CalcBaseFee test.
    @Test func baseFeeFollowsUse() {
        func next(_ base: UInt64, limit: UInt64, used: UInt64) -> UInt256 {
            FeeRules.baseFee(after: Header(gasLimit: limit, gasUsed: used, baseFeePerGas: UInt256(base)))
        }
        #expect(next(1_000_000_000, limit: 20_000_000, used: 10_000_000) == UInt256(1_000_000_000 as UInt64))
        #expect(next(1_000_000_000, limit: 20_000_000, used: 9_000_000) == UInt256(987_500_000 as UInt64))
        #expect(next(1_000_000_000, limit: 20_000_000, used: 11_000_000) == UInt256(1_012_500_000 as UInt64))
        #expect(next(0, limit: 20_000_000, used: 20_000_000) == .one)
        #expect(next(7, limit: 0, used: 0) == UInt256(7 as UInt64))
        #expect(FeeRules.baseFee(after: Header(gasLimit: 1)) == FeeRules.initialBaseFee)
    }

    /// The vectors of EIP-4844's reference tests, as go-ethereum has them.
    @Test func blobBaseFeeIsExponential() {
        func fee(_ excess: UInt64) -> UInt256 { FeeRules.blobBaseFee(excess: excess, .cancun) }
        #expect(fee(0) == .one)
        #expect(fee(2_314_057) == .one)
        #expect(fee(2_314_058) == UInt256(2 as UInt64))
        #expect(fee(10 * 1024 * 1024) == UInt256(23 as UInt64))
        #expect(fee(.max) == .max)
        let target = 3 * Transaction.gasPerBlob
        func excess(_ before: UInt64, _ used: UInt64) -> UInt64 {
            FeeRules.excessBlobGas(parentExcess: before, parentUsed: used, .cancun)
        }
        #expect(excess(0, 0) == 0)
        #expect(excess(0, target + 1) == 1)
        #expect(excess(1, target) == 1)
        #expect(excess(target, 0) == 0)
        #expect(excess(.max, .max) == .max - target)
    }
}
