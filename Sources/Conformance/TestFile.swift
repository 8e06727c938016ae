public import EVM
public import EthereumAdapter
import Primitives

/// A file of a public Ethereum test suite: what kind of tests it holds is told by its shape, so folders and archives of
/// any of the suites can be run.
public struct TestFile: Sendable {
    /// The public formats, by the folders of the repository `ethereum/tests` that hold them.
    public enum Kind: String, Sendable, CaseIterable {
        /// A small world and one transaction in variants.
        case state = "GeneralStateTests"
        /// The oldest format: one message without a transaction.
        case virtualMachine = "VMTests"
        /// Whole blocks.
        case blockchain = "BlockchainTests"
        /// Bytes that are a transaction of some forks, or none.
        case transaction = "TransactionTests"
        /// Encodings that are canonical, or not.
        case rlp = "RLPTests"
        /// Merkle Patricia tries.
        case trie = "TrieTests"
        /// Inputs of one precompiled contract, in go-ethereum's format.
        case precompile = "precompiles"
    }

    /// What became of one case.
    public struct Outcome: Sendable, Hashable {
        /// How a case ends.
        public enum Verdict: Sendable, Hashable {
            /// As the file says.
            case passed
            /// Not so; what was expected and what came.
            case failed(String)
            /// It says nothing about a chain like ours; why.
            case notApplicable(String)
        }

        /// The test's name and what tells its cases apart.
        public let name: String
        /// The rules; nil where none are named.
        public let fork: Fork?
        /// How it ended.
        public let verdict: Verdict
    }

    /// The largest file taken, in bytes.
    public static let bytesMax = 64 << 20

    /// What it holds.
    public let kind: Kind
    private let name: String
    private let json: JSON

    /// Reads a file. The name, without folders, says what no content does: the precompile and the kind of trie.
    /// - Throws: ``CaseFileError`` for what is no JSON or has no known shape.
    public init(_ text: [UInt8], name: String) throws(CaseFileError) {
        do {
            json = try JSON(parsing: text, limits: .init(bytesMax: Self.bytesMax, depthMax: 2048, valuesMax: 8 << 20))
        } catch { throw CaseFileError("", "\(error)") }
        self.name = name
        guard let kind = Self.kind(of: json) else { throw CaseFileError("", "no test of a known format") }
        self.kind = kind
    }

    private static func kind(of json: JSON) -> Kind? {
        if let first = json.array?.first { return first["Input"] == nil ? nil : .precompile }
        guard let test = json.object?.members.first?.value else { return nil }
        if test["post"]?.object != nil, test["transaction"] != nil { return .state }
        if test["exec"] != nil { return .virtualMachine }
        if test["blocks"] != nil { return .blockchain }
        if test["txbytes"] != nil { return .transaction }
        if test["in"] != nil, test["out"] != nil { return test["root"] == nil ? .rlp : .trie }
        if test["in"] != nil { return .trie }
        return nil
    }

    /// Runs its cases in the file's order.
    /// - Parameter fork: if given, the only rules whose cases are run.
    /// - Throws: ``CaseFileError`` where the file makes no sense.
    public func run(fork: Fork? = nil, each: (Outcome) -> Void) throws(CaseFileError) {
        if kind == .precompile { return try PrecompileVectors.run(json, name: name, fork: fork, each: each) }
        let file = try CaseFields(json, "")
        let codeCache = CodeCache()
        for member in file.object.members {
            let test = member.name
            func tell(_ place: String, _ fork: Fork?, _ problem: String?) {
                each(Outcome(name: test + place, fork: fork, verdict: problem.map { .failed($0) } ?? .passed))
            }
            switch kind {
            case .state:
                let state = try StateTest(test, file.fields(test))
                for variant in state.variants where fork == nil || variant.fork == fork {
                    let problem = try state.run(variant, codeCache: codeCache)
                    tell(" d\(variant.data) g\(variant.gas) v\(variant.value)", variant.fork, problem)
                }
            case .virtualMachine:
                guard fork == nil || fork == .frontier else { continue }
                each(Outcome(name: test, fork: .frontier, verdict: try VirtualMachineTest.run(file.fields(test))))
            case .blockchain:
                let blockchain = try BlockchainTest(file.fields(test))
                guard fork == nil || blockchain.fork == fork else { continue }
                each(Outcome(name: test, fork: blockchain.fork, verdict: try blockchain.run(codeCache: codeCache)))
            case .transaction:
                try TransactionTest.run(file.fields(test), fork: fork) { tell("", $0, $1) }
            case .rlp: tell("", nil, try RLPTest.run(file.fields(test)))
            case .trie: each(Outcome(name: test, fork: nil, verdict: try TrieTest.run(file.fields(test), file: name)))
            case .precompile: break
            }
        }
    }
}
