import ArgumentParser
import Constitution
import Foundation
import Host
import Identity
import Primitives

/// With what a message is signed: a key file, or any program that holds the key elsewhere.
struct SigningOptions: ParsableArguments {
    @Option(help: "The certificate to sign with, PEM, when it is another than that of the session.")
    var signingCertificate: String?
    @Option(help: "Its key, PEM.")
    var signingKey: String?
    @Option(
        help: ArgumentHelp(
            "Sign with this shell command instead of a key file.",
            discussion: """
                It gets the bytes to be signed on standard input and writes the signature (r and s, or DER; raw or in \
                base64) to standard output: ECDSA with SHA-256 for a P-256 key.
                """))
    var signWith: String?

    func validate() throws {
        guard signWith == nil || signingKey == nil else {
            throw ValidationError("Give --signing-key or --sign-with, not both.")
        }
    }

    /// The signer's certificate.
    func certificate(_ session: GovernanceOptions?) throws -> X509Certificate {
        guard let path = signingCertificate ?? session?.certificateFile else {
            throw UserError("name the signer's certificate with --signing-certificate")
        }
        return try X509Certificate(pem: readText(path))
    }

    /// The message with its signature.
    func sign(_ message: UnsignedMessage, _ session: GovernanceOptions?) throws -> [UInt8] {
        if let signWith { return try message.signed(with: Self.run(signWith, message.bytesToSign)) }
        guard let path = signingKey ?? (signingCertificate == nil ? session?.keyFile : nil) else {
            throw UserError("name the key with --signing-key, or a program that signs with --sign-with")
        }
        let key = try SigningKey(pem: readText(path))
        return try message.signed(with: key.rawSignature(message: message.bytesToSign))
    }

    /// What a program that signs gives back.
    static func run(_ command: String, _ bytes: [UInt8]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", command]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.runUnblocked()
        try input.fileHandleForWriting.write(contentsOf: Data(bytes))
        try input.fileHandleForWriting.close()
        let said = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw UserError("the command of --sign-with ended with \(process.terminationStatus): \(command)")
        }
        return signature(said)
    }

    /// A signature as programs print it: as it is, or in base64.
    static func signature(_ said: [UInt8]) -> [UInt8] {
        let text = String(validating: said, as: UTF8.self)?.filter { !$0.isWhitespace }
        return text.flatMap { $0.count >= 86 ? Base64.decode($0) : nil } ?? said
    }
}

/// A message that waits for its signature, as `entente member prepare` writes it.
struct PreparedMessage {
    let kind: GovernanceMessage.Kind
    let payload: [UInt8]
    let proposalID: String?
    let signedAt: UInt64
    let certificate: X509Certificate

    var unsigned: UnsignedMessage {
        UnsignedMessage(kind, payload: payload, proposalID: proposalID, signedAt: signedAt, certificate: certificate)
    }

    init(
        _ kind: GovernanceMessage.Kind, _ payload: [UInt8], proposalID: String? = nil, certificate: X509Certificate
    ) {
        self.kind = kind
        self.payload = payload
        self.proposalID = proposalID
        self.certificate = certificate
        signedAt = HostClock.wallMilliseconds() / 1_000
    }

    var json: JSON {
        [
            "version": 1, "kind": .string(kind.rawValue), "payload": .string(Base64.encode(payload)),
            "proposalId": proposalID.map { .string($0) } ?? .null, "signedAt": .integer(Int64(clamping: signedAt)),
            "certificate": .string(certificate.pem), "toSign": .string(Base64.encode(unsigned.bytesToSign)),
        ]
    }

    init(path: String) throws {
        let json = try JSON(parsing: readFile(path))
        guard json["version"]?.integer == 1, let kind = json["kind"]?.string.flatMap(GovernanceMessage.Kind.init),
            let payload = json["payload"]?.string.flatMap(Base64.decode),
            let signedAt = json["signedAt"]?.integer.flatMap(UInt64.init(exactly:)),
            let pem = json["certificate"]?.string
        else { throw UserError("\(path) is no message that `entente member prepare` made") }
        self.kind = kind
        self.payload = payload
        proposalID = json["proposalId"]?.string
        self.signedAt = signedAt
        certificate = try X509Certificate(pem: pem)
    }
}

/// Certificates in files.
enum Certificates {
    /// The DER form of a PEM file's content.
    static func der(_ pem: [UInt8]) throws -> [UInt8] {
        try X509Certificate(pem: String(decoding: pem, as: UTF8.self)).der
    }
}
