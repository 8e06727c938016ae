import EVM
import Primitives

/// A fixture that is not of the shape expected.
struct FixtureError: Error, CustomStringConvertible {
    let description: String
}

/// Typed reading of the fixtures' JSON: all numbers and bytes are hexadecimal strings.
extension JSON {
    func member(_ name: String) throws -> JSON {
        guard let value = self[name] else { throw FixtureError(description: "no member \(name)") }
        return value
    }

    func text() throws -> String {
        guard let string else { throw FixtureError(description: "no string") }
        return string
    }

    /// A number of at most 256 bits; the fixtures mark larger ones with a prefix, which makes them unreadable here.
    func word() throws -> UInt256 {
        guard let value = UInt256(hex: try text()) else { throw FixtureError(description: "no word: \(self)") }
        return value
    }

    func number() throws -> UInt64 {
        guard let value = try word().asUInt64 else { throw FixtureError(description: "no 64-bit number: \(self)") }
        return value
    }

    func bytes() throws -> [UInt8] {
        guard let value = Hex.decode(try text()) else { throw FixtureError(description: "no bytes: \(self)") }
        return value
    }

    func address() throws -> Address {
        guard let value = Address(hex: try text()) else { throw FixtureError(description: "no address: \(self)") }
        return value
    }

    func digest() throws -> Bytes32 {
        guard let value = Bytes32(hex: try text()) else { throw FixtureError(description: "no digest: \(self)") }
        return value
    }

    func elements() throws -> [JSON] {
        guard let array else { throw FixtureError(description: "no array") }
        return array
    }

    func members() throws -> [JSONObject.Member] {
        guard let object else { throw FixtureError(description: "no object") }
        return object.members
    }

    /// Accounts of a `pre` or `post` object.
    func accounts() throws -> [Address: MemoryReader.Account] {
        var accounts: [Address: MemoryReader.Account] = [:]
        for member in try members() {
            var account = MemoryReader.Account()
            account.nonce = try member.value.member("nonce").number()
            account.balance = try member.value.member("balance").word()
            account.code = try member.value.member("code").bytes()
            for slot in try member.value.member("storage").members() {
                let value = try slot.value.word()
                if !value.isZero { account.storage[try JSON.string(slot.name).word()] = value }
            }
            accounts[try JSON.string(member.name).address()] = account
        }
        return accounts
    }
}

extension Fork {
    /// The fork of a name in the fixtures.
    init?(fixtureName name: String) {
        switch name {
        case "Frontier": self = .frontier
        case "Homestead": self = .homestead
        case "EIP150": self = .tangerineWhistle
        case "EIP158": self = .spuriousDragon
        case "Byzantium": self = .byzantium
        case "Constantinople": self = .constantinople
        case "ConstantinopleFix": self = .petersburg
        case "Istanbul": self = .istanbul
        case "Berlin": self = .berlin
        case "London": self = .london
        case "Paris", "Merge": self = .paris
        case "Shanghai": self = .shanghai
        case "Cancun": self = .cancun
        case "Prague": self = .prague
        case "Osaka": self = .osaka
        default: return nil
        }
    }
}
