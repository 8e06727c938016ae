/// An actor's secret share of a key. It is used alone, to make ``DecryptionShare``s; shares are never combined.
public struct KeyShare: Sendable, CustomStringConvertible, CustomReflectable {
    /// The key that it is a share of.
    public let keys: PublicKeySet
    /// Whose it is.
    public let index: ShareIndex
    package let secret: SecretScalar

    /// A share that fits the public value of its index.
    /// - Throws: ``ThresholdError/badShare(_:file:line:)`` when it does not.
    package init(keys: PublicKeySet, index: ShareIndex, secret: SecretScalar) throws(ThresholdError) {
        guard let key = keys.shareKey(at: index) else { throw .stale("index \(index) has no share of this key") }
        guard secret.timesGenerator == key else { throw .badShare("a share that is not the one of index \(index)") }
        self.keys = keys
        self.index = index
        self.secret = secret
    }

    /// Tells whose share of what it is, nothing of the share.
    public var description: String { "KeyShare(index \(index), generation \(keys.generationID))" }

    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
