/// One decoder, or a few that belong together, as a fuzzer sees it: bytes go in, and nothing may come of them but a typed
/// error or a value that keeps its promises.
public struct FuzzTarget: Sendable {
    /// Name on the command line, of its corpus and of its regressions.
    public let name: String
    /// Longest input worth trying, in bytes.
    public let byteCountMax: Int
    /// Inputs to begin with, by name: each is made by our own encoders and must be accepted.
    public let seeds: @Sendable () throws -> [(name: String, bytes: [UInt8])]
    /// Decodes and checks the result. Throws ``FuzzFinding`` for a broken promise, and anything else to refuse.
    let check: @Sendable ([UInt8]) throws -> Void

    init(
        _ name: String, byteCountMax: Int = 4096,
        seeds: @escaping @Sendable () throws -> [(name: String, bytes: [UInt8])],
        check: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.name = name
        self.byteCountMax = byteCountMax
        self.seeds = seeds
        self.check = check
    }

    /// Runs the decoder on an input.
    public func run(_ bytes: [UInt8]) -> FuzzOutcome {
        do {
            try check(bytes)
            return .accepted
        } catch let finding as FuzzFinding {
            return .finding(finding.reason)
        } catch {
            return .refused("\(error)")
        }
    }

    /// All targets, by name.
    public static let all: [FuzzTarget] =
        (primitives + identity + attestation + ledger + nodes + workers + constitution + configuration + ethereum
        + transport + host).sorted { $0.name < $1.name }

    /// The target of this name.
    public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// What became of an input.
public enum FuzzOutcome: Sendable, Hashable {
    /// It was decoded, and the value keeps its promises.
    case accepted
    /// It was refused with this error.
    case refused(String)
    /// A promise is broken: this one.
    case finding(String)
}

/// A promise that a decoder broke.
struct FuzzFinding: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }

    /// For formats with one byte form a value: what was decoded is written as it was read.
    static func unless(_ written: [UInt8], is read: [UInt8], _ what: String) throws {
        guard written == read else { throw FuzzFinding("\(what): \(read.count) bytes become \(written.count) others") }
    }

    /// For formats with many forms a value: what is written is read, and written again the same.
    static func unlessStable(
        _ written: [UInt8], _ what: String, again: ([UInt8]) throws -> [UInt8]
    ) throws {
        let twice: [UInt8]
        do { twice = try again(written) } catch { throw FuzzFinding("\(what): what was written is refused: \(error)") }
        guard twice == written else { throw FuzzFinding("\(what): written twice, it differs") }
    }
}

/// Splits an input into parts, each behind a `u16` length; for targets that take a sequence.
enum FuzzParts {
    static func split(_ bytes: [UInt8]) -> [[UInt8]] {
        var parts: [[UInt8]] = []
        var place = 0
        while bytes.count - place >= 2, parts.count < 64 {
            let length = Int(bytes[place]) | Int(bytes[place + 1]) << 8
            place += 2
            let end = min(bytes.count, place + length)
            parts.append(Array(bytes[place..<end]))
            place = end
        }
        return parts
    }

    static func join(_ parts: [[UInt8]]) -> [UInt8] {
        parts.flatMap { [UInt8(truncatingIfNeeded: $0.count), UInt8(truncatingIfNeeded: $0.count >> 8)] + $0 }
    }
}

/// The text of an input; refused when it is no UTF-8, as everywhere where a text is read.
func fuzzText(_ bytes: [UInt8]) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw NoText() }
    return text
}

private struct NoText: Error {}
