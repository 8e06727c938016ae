public import EVM

extension Fork {
    /// The fork that replay cases and public state tests call so; nil for a name that is none of theirs.
    public init?(caseName: String) {
        switch caseName {
        case "Frontier": self = .frontier
        case "Homestead": self = .homestead
        case "EIP150", "TangerineWhistle": self = .tangerineWhistle
        case "EIP158", "SpuriousDragon": self = .spuriousDragon
        case "Byzantium": self = .byzantium
        case "Constantinople": self = .constantinople
        case "ConstantinopleFix", "Petersburg": self = .petersburg
        case "Istanbul": self = .istanbul
        case "Berlin": self = .berlin
        case "London": self = .london
        case "Merge", "Paris": self = .paris
        case "Shanghai": self = .shanghai
        case "Cancun": self = .cancun
        case "Prague": self = .prague
        case "Osaka": self = .osaka
        default: return nil
        }
    }
}
