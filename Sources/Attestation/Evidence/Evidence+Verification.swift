extension Evidence {
    /// What the evidence claims. Nothing is verified.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``.
    public func claims() throws(AttestationError) -> EvidenceClaims {
        switch platform {
        case .software: try SoftwareEvidence(decoding: bytes).claims
        case .sevSNP: try SNPEvidence(decoding: bytes).claims
        case .tdx: try TDXEvidence(decoding: bytes).claims
        case .sgx: try SGXEvidence(decoding: bytes).claims
        }
    }

    /// Whether the evidence is whole in itself: parses, and is signed by the key that it names, which on hardware must
    /// lead to a root that the maker publishes. Who may use a `software` key, and how old a platform may be, is not
    /// looked at, so this alone proves little about where it was made.
    /// - Parameters:
    ///   - time: milliseconds since 1970 at which certificates must be valid.
    ///   - collateral: AMD's certificates, where the evidence does not carry them.
    /// - Throws: ``AttestationError``.
    public func verifyIntegrity(
        at time: UInt64, collateral: Collateral = .init()
    ) throws(AttestationError) -> EvidenceClaims {
        let policy = EvidencePolicy(
            requirements: .lenient, allowsDebug: true, needsCollateral: false, platformKeys: nil)
        // Statements on the TCB are for a policy to judge; out-of-date ones must not stand in the way here.
        let report = examine(policy: policy, collateral: collateral.certificatesOnly, at: time)
        return try report.acceptedClaims()
    }

    /// Verifies the evidence as that of a node of `owner`.
    ///
    /// The platform must be on the manifest, the evidence signed by a key that leads to a root of the manifest, or for
    /// `software` by a platform key that it lists for this owner, the environment not in debug mode, its firmware as
    /// new as the manifest wants, and all else as its rule for the platform asks.
    /// - Parameters:
    ///   - time: milliseconds since 1970 at which certificates and collateral must be valid; `software` has none.
    ///   - manifest: the TEE manifest in force.
    ///   - owner: the actor to whom the node belongs.
    ///   - collateral: what the makers published, from the operator's cache.
    /// - Throws: ``AttestationError``.
    public func verify(
        at time: UInt64, manifest: TEEManifest, owner: ActorID, collateral: Collateral = .init()
    ) throws(AttestationError) -> VerifiedEvidence {
        guard let policy = manifest.policy(for: platform, owner: owner) else { throw .platformNotAllowed(platform) }
        let report = examine(policy: policy, collateral: collateral, at: time)
        let claims = try report.acceptedClaims()
        return VerifiedEvidence(claims: claims, owner: owner)
    }
}

extension EvidenceReport {
    /// The claims, if the evidence is accepted.
    func acceptedClaims() throws(AttestationError) -> EvidenceClaims {
        if let refusal { throw refusal }
        guard let claims else { throw .malformed("the evidence can't be read") }
        return claims
    }
}

extension TEEManifest {
    /// What the manifest asks of evidence of a platform from a node of `owner`; nil when the platform is not welcome.
    public func policy(for platform: Platform, owner: ActorID) -> EvidencePolicy? {
        guard let rule = rule(for: platform) else { return nil }
        return EvidencePolicy(
            requirements: rule.requirements, allowsDebug: false, minimumTCB: rule.minimumTCB, needsCollateral: true,
            platformKeys: softwareKeys.filter { $0.owner == owner }.map(\.key))
    }
}
