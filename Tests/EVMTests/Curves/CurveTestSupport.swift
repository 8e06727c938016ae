import FoundationEssentials
import Testing

/// One precompile vector of the shared data (the format of go-ethereum's core/vm/testdata/precompiles).
struct CurveVector: Decodable, Sendable {
    let input: [UInt8]
    /// Nil when the call must fail.
    let expected: [UInt8]?
    let gas: UInt64?
    let name: String

    private enum Keys: String, CodingKey {
        case input = "Input"
        case expected = "Expected"
        case gas = "Gas"
        case name = "Name"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        input = try curveBytes(container.decode(String.self, forKey: .input))
        expected = try container.decodeIfPresent(String.self, forKey: .expected).map(curveBytes)
        gas = try container.decodeIfPresent(UInt64.self, forKey: .gas)
        name = try container.decode(String.self, forKey: .name)
    }
}

/// Whether the code under test is optimised. Unoptimised generic arithmetic is a thousand times slower, so a debug build
/// runs a few small vectors only; the release build, which is what ships, runs everything.
enum CurveBuild {
    static var isOptimised: Bool {
        #if DEBUG
            false
        #else
            true
        #endif
    }
}

extension Trait where Self == ConditionTrait {
    /// For tests that take minutes in a debug build.
    static var curveOptimisedOnly: Self {
        .enabled(if: CurveBuild.isOptimised, "too slow in a debug build; run with -c release")
    }
}

/// The folder of precompile vectors: `../shared/data` beside the package, or what ENTENTE_SHARED_DATA names.
enum CurveVectors {
    private static var folder: String {
        if let named = ProcessInfo.processInfo.environment["ENTENTE_SHARED_DATA"] {
            return named + "/evm-tests/precompiles"
        }
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        return "/" + root + "/../shared/data/evm-tests/precompiles"
    }

    /// Whether the shared data is here; the tests that need it are skipped otherwise.
    static var available: Bool { FileManager.default.fileExists(atPath: folder) }

    static func load(_ name: String) throws -> [CurveVector] {
        let data = try Data(contentsOf: URL(filePath: "\(folder)/\(name).json"))
        return try JSONDecoder().decode([CurveVector].self, from: data)
    }

    /// Runs every vector of a file through `precompile`.
    static func check(
        _ name: String, sourceLocation: SourceLocation = #_sourceLocation, _ precompile: ([UInt8]) -> [UInt8]?
    ) throws {
        var vectors = try load(name)
        if !CurveBuild.isOptimised { vectors = Array(vectors.filter { $0.input.count <= 800 }.prefix(2)) }
        #expect(!vectors.isEmpty, sourceLocation: sourceLocation)
        for vector in vectors {
            #expect(
                precompile(vector.input) == vector.expected, "\(name): \(vector.name)", sourceLocation: sourceLocation)
        }
    }
}

/// The bytes of a hexadecimal literal; anything else fails the test that uses it.
func curveBytes(_ hex: String) -> [UInt8] {
    let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    precondition(digits.count == hex.utf8.count && digits.count.isMultiple(of: 2), "not hexadecimal")
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// A number as 32 big-endian bytes.
func curveWord(_ value: UInt64) -> [UInt8] {
    [UInt8](repeating: 0, count: 24) + (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * $0)) }
}

/// SplitMix64: the tests' own random numbers, the same in each run.
struct CurveRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}

/// Slow, plain big integers (32-bit digits, least significant first): the judge of the field arithmetic.
struct CurveReference: Equatable {
    private var digits: [UInt64]

    init(bigEndian bytes: [UInt8]) {
        digits = []
        var index = bytes.count
        while index > 0 {
            var digit: UInt64 = 0
            for byte in bytes[max(0, index - 4)..<index] { digit = digit << 8 | UInt64(byte) }
            digits.append(digit)
            index -= 4
        }
        trim()
    }

    private init(digits: [UInt64]) {
        self.digits = digits
        trim()
    }

    private mutating func trim() {
        while digits.last == 0 { digits.removeLast() }
    }

    static func + (a: CurveReference, b: CurveReference) -> CurveReference {
        var result: [UInt64] = []
        var carry: UInt64 = 0
        for index in 0..<max(a.digits.count, b.digits.count) {
            carry += index < a.digits.count ? a.digits[index] : 0
            carry += index < b.digits.count ? b.digits[index] : 0
            result.append(carry & 0xffff_ffff)
            carry >>= 32
        }
        return CurveReference(digits: result + [carry])
    }

    static func * (a: CurveReference, b: CurveReference) -> CurveReference {
        var result = [UInt64](repeating: 0, count: a.digits.count + b.digits.count)
        for i in a.digits.indices {
            var carry: UInt64 = 0
            for j in b.digits.indices {
                carry += result[i + j] + a.digits[i] * b.digits[j]
                result[i + j] = carry & 0xffff_ffff
                carry >>= 32
            }
            result[i + b.digits.count] = carry
        }
        return CurveReference(digits: result)
    }

    static func < (a: CurveReference, b: CurveReference) -> Bool {
        if a.digits.count != b.digits.count { return a.digits.count < b.digits.count }
        for (x, y) in zip(a.digits.reversed(), b.digits.reversed()) where x != y { return x < y }
        return false
    }

    /// Remainder, bit by bit.
    static func % (a: CurveReference, m: CurveReference) -> CurveReference {
        var rest = CurveReference(digits: [])
        for digit in a.digits.reversed() {
            for bit in stride(from: 31, through: 0, by: -1) {
                rest = rest + rest + CurveReference(digits: [(digit >> UInt64(bit)) & 1])
                if !(rest < m) { rest = rest.minus(m) }
            }
        }
        return rest
    }

    /// The difference; `other` must not be greater.
    func minus(_ other: CurveReference) -> CurveReference {
        var result: [UInt64] = []
        var borrow: UInt64 = 0
        for index in digits.indices {
            let take = borrow + (index < other.digits.count ? other.digits[index] : 0)
            borrow = digits[index] < take ? 1 : 0
            result.append((digits[index] | borrow << 32) - take)
        }
        precondition(borrow == 0)
        return CurveReference(digits: result)
    }
}
