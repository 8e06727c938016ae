extension Evidence {
    /// What the evidence claims. Nothing is verified.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``, ``AttestationError/unsupportedPlatform(_:file:line:)``.
    public func claims() throws(AttestationError) -> EvidenceClaims {
        switch platform {
        case .software: try SoftwareEvidence(decoding: bytes).claims
        case .sevSNP, .tdx, .sgx: throw .unsupportedPlatform(platform)
        }
    }

    /// Whether the evidence is whole in itself: parses, and is signed by the key that it names. Who may use that key is
    /// not looked at, so this alone proves nothing about where it was made.
    /// - Throws: ``AttestationError``.
    public func verifyIntegrity(at time: UInt64) throws(AttestationError) -> EvidenceClaims {
        switch platform {
        case .software:
            let evidence = try SoftwareEvidence(decoding: bytes)
            try evidence.verifySignature()
            return evidence.claims
        case .sevSNP, .tdx, .sgx: throw .unsupportedPlatform(platform)
        }
    }

    /// Verifies the evidence as that of a node of `owner`.
    ///
    /// The platform must be on the manifest, the evidence signed by a platform key that the manifest lists for this
    /// owner, the environment not in debug mode, its firmware as new as the manifest wants.
    /// - Parameters:
    ///   - time: milliseconds since 1970 at which certificates and collateral must be valid; `software` has none.
    ///   - manifest: the TEE manifest in force.
    ///   - owner: the actor to whom the node belongs.
    /// - Throws: ``AttestationError``.
    public func verify(
        at time: UInt64, manifest: TEEManifest, owner: ActorID
    ) throws(AttestationError) -> VerifiedEvidence {
        guard let rule = manifest.rule(for: platform) else { throw .platformNotAllowed(platform) }
        let claims = try verifyIntegrity(at: time)
        guard !claims.isDebug else { throw .debug() }
        guard rule.admits(tcb: claims.tcb) else {
            throw .tcbTooOld("the firmware is older than the TEE manifest wants")
        }
        if platform == .software {
            guard manifest.lists(softwareKey: claims.platformKey, owner: owner) else {
                throw .platformKeyNotListed(owner: owner)
            }
        }
        return VerifiedEvidence(claims: claims, owner: owner)
    }
}
