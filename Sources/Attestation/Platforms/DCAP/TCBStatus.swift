/// What Intel says of a level of security versions.
public enum TCBStatus: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// All known fixes are in.
    case upToDate = "UpToDate"
    /// All known fixes are in, and the software inside must do its part.
    case swHardeningNeeded = "SWHardeningNeeded"
    /// The platform must be configured otherwise.
    case configurationNeeded = "ConfigurationNeeded"
    /// Both.
    case configurationAndSWHardeningNeeded = "ConfigurationAndSWHardeningNeeded"
    /// Fixes are missing.
    case outOfDate = "OutOfDate"
    /// Fixes are missing, and the platform must be configured otherwise.
    case outOfDateConfigurationNeeded = "OutOfDateConfigurationNeeded"
    /// The TD was launched under an old module that was replaced since.
    case tdRelaunchAdvised = "TDRelaunchAdvised"
    /// That, and the platform must be configured otherwise.
    case tdRelaunchAdvisedConfigurationNeeded = "TDRelaunchAdvisedConfigurationNeeded"
    /// Keys of this level are known to others.
    case revoked = "Revoked"

    /// Intel's name.
    public var description: String { rawValue }

    /// Whether Intel gives it to a level; the others come of comparing levels.
    var isOfLevel: Bool { self != .tdRelaunchAdvised && self != .tdRelaunchAdvisedConfigurationNeeded }

    /// This platform's status together with that of its quoting enclave or TDX module (Intel's QVL, convergence).
    func converged(with part: TCBStatus) -> TCBStatus {
        switch (self, part) {
        case (.revoked, _), (_, .revoked): .revoked
        case (.upToDate, .outOfDate), (.swHardeningNeeded, .outOfDate): .outOfDate
        case (.configurationNeeded, .outOfDate), (.configurationAndSWHardeningNeeded, .outOfDate):
            .outOfDateConfigurationNeeded
        default: self
        }
    }

    /// The status of a TD launched at this one whose platform would now be at `current` (Intel's QVL, check for
    /// relaunch).
    func relaunched(at current: TCBStatus) -> TCBStatus {
        guard self == .outOfDate || self == .outOfDateConfigurationNeeded else { return self }
        switch current {
        case .upToDate, .swHardeningNeeded:
            return self == .outOfDate ? .tdRelaunchAdvised : .tdRelaunchAdvisedConfigurationNeeded
        case .configurationNeeded, .configurationAndSWHardeningNeeded: return .tdRelaunchAdvisedConfigurationNeeded
        default: return self
        }
    }
}
