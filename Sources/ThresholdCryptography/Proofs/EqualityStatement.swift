internal import Primitives

/// "`key` is to `base` what each of `products` is to its place in `points`: the multiple by one and the same scalar"
/// (discrete logarithm equality, DLEQ). This is RFC 9497, 2.2, with ristretto255-SHA512: composites, transcripts and proof
/// are those of the RFC, whose vectors this meets; only the context string is ours.
package struct EqualityStatement: Sendable {
    private let contextString: [UInt8]
    private let base: RistrettoElement
    private let key: RistrettoElement
    private let points: [RistrettoElement]
    private let products: [RistrettoElement]

    /// The statement under a context string as in the RFC. The RFC hashes no base, since its base is the generator always;
    /// ``init(purpose:context:base:key:points:products:)`` puts it into the context.
    package init(
        contextString: [UInt8], base: RistrettoElement, key: RistrettoElement, points: [RistrettoElement],
        products: [RistrettoElement]
    ) {
        precondition(points.count == products.count && (1...0xFFFF).contains(points.count))
        self.contextString = contextString
        self.base = base
        self.key = key
        self.points = points
        self.products = products
    }

    /// The statement bound to a purpose, a context and its base.
    init(
        purpose: String, context: [UInt8], base: RistrettoElement = .generator, key: RistrettoElement,
        points: [RistrettoElement], products: [RistrettoElement]
    ) {
        var transcript = Transcript("equality")
        transcript.append(purpose)
        transcript.append(context)
        transcript.append(base)
        self.init(
            contextString: Array("EntenteV1-".utf8) + transcript.bytes(64), base: base, key: key, points: points,
            products: products)
    }

    /// A proof, by one who knows the scalar.
    package func prove(_ secret: SecretScalar, randomness: SecretBytes) -> Proof {
        var statement = Array("equality".utf8) + contextString + base.encoding.bytes + key.encoding.bytes
        for (point, product) in zip(points, products) { statement += point.encoding.bytes + product.encoding.bytes }
        return prove(secret, nonce: hedgedNonce(secret: secret, statement: statement, randomness: randomness))
    }

    /// A proof with a given nonce, for the RFC's vectors; two proofs with one nonce give the secret away.
    package func prove(_ secret: SecretScalar, nonce: SecretScalar) -> Proof {
        let (point, product) = composites()
        let challenge = challenge(point, product, nonce.timesElement(base), nonce * point)
        return Proof(challenge: challenge, response: secret.response(nonce: nonce, challenge: challenge))
    }

    /// Whether the proof holds. It never does with an identity among base, key, points or products.
    package func isProved(by proof: Proof) -> Bool {
        guard !base.isIdentity, !key.isIdentity, !points.contains(where: \.isIdentity),
            !products.contains(where: \.isIdentity)
        else { return false }
        let (point, product) = composites()
        let first = proof.response.timesElement(base) + proof.challenge * key
        let second = proof.response * point + proof.challenge * product
        return challenge(point, product, first, second) == proof.challenge
    }

    /// ComputeComposites of the RFC: one pair for all, by coefficients that nobody can choose.
    private func composites() -> (point: RistrettoElement, product: RistrettoElement) {
        var seed = [UInt8](repeating: 0, count: 64)
        MessageExpander.hash(
            [.open(Self.framed(key.encoding.bytes) + Self.framed(Array("Seed-".utf8) + contextString))], into: &seed)
        var point = RistrettoElement.identity
        var product = RistrettoElement.identity
        for place in points.indices {
            var message = Self.framed(seed) + [UInt8(place >> 8), UInt8(place & 255)]
            message += Self.framed(points[place].encoding.bytes) + Self.framed(products[place].encoding.bytes)
            let coefficient = hashToScalar(message + Array("Composite".utf8))
            point = point + coefficient * points[place]
            product = product + coefficient * products[place]
        }
        return (point, product)
    }

    private func challenge(
        _ point: RistrettoElement, _ product: RistrettoElement, _ first: RistrettoElement, _ second: RistrettoElement
    ) -> RistrettoScalar {
        var message: [UInt8] = []
        for element in [key, point, product, first, second] { message += Self.framed(element.encoding.bytes) }
        return hashToScalar(message + Array("Challenge".utf8))
    }

    private func hashToScalar(_ message: [UInt8]) -> RistrettoScalar {
        Self.hashToScalar(message, contextString: contextString)
    }

    /// HashToScalar of RFC 9497, 4.1.
    package static func hashToScalar(_ message: [UInt8], contextString: [UInt8]) -> RistrettoScalar {
        var uniform = [UInt8](repeating: 0, count: 64)
        uniform.withUnsafeMutableBytes {
            MessageExpander(domain: Array("HashToScalar-".utf8) + contextString).expand([.open(message)], into: $0)
        }
        return uniform.withUnsafeBytes { RistrettoScalar(reducing: $0) }
    }

    /// The bytes behind their length in two, big-endian, as the RFC has it.
    private static func framed(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
    }
}

// The generator has a table of multiples, so it takes a third of the time.
extension RistrettoScalar {
    func timesElement(_ element: RistrettoElement) -> RistrettoElement {
        element == .generator ? timesGenerator : self * element
    }
}

extension SecretScalar {
    func timesElement(_ element: RistrettoElement) -> RistrettoElement {
        element == .generator ? timesGenerator : self * element
    }
}
