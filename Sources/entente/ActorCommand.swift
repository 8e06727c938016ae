import ArgumentParser
import Constitution
import Foundation
import Host
import Identity
import NodeConfiguration

/// `entente actor`.
struct Actor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make an actor's key and certificate; sign with it.",
        subcommands: [Initialise.self, SignNode.self])

    /// `entente actor init`, also as `entente member init`.
    struct Initialise: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init", abstract: "Make a P-256 key and a certificate of its own.",
            discussion:
                "For development, and for actors without a certificate authority or HSM. The key is written in clear.")
        @Argument(help: "The actor's id, such as bank-a.")
        var id: String
        @Option(help: "Folder for ID.pem and ID.key.")
        var output = "."
        @Option(help: "Days of validity.")
        var days: UInt64 = 365

        func run() throws {
            let (certificate, key) = try DevelopmentIdentity.make(id, days: days)
            let folder = absolute(output)
            try writeFile("\(folder)/\(id).key", Array(key.pem.utf8), secret: true)
            try writeFile("\(folder)/\(id).pem", Array(certificate.pem.utf8))
            print(
                """
                Wrote \(folder)/\(id).pem and \(id).key.
                Next: name the certificate in the genesis, or have a member propose it:
                  actions: [{set_member: {id: \(id), certificates: [\(id).pem]}}]
                """)
        }
    }

    /// `entente actor sign-node`.
    struct SignNode: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sign-node", abstract: "Sign a node's tuple as its owner.")
        @Option(help: "The owner's key, PEM.")
        var key: String?
        @Option(help: "Sign with this shell command instead, as with `entente member propose --sign-with`.")
        var signWith: String?
        @Option(help: "With --sign-with: the owner's certificate, PEM.")
        var certificate: String?
        @Argument(help: "The file that `entente node init` wrote; it is signed in place.")
        var file: String

        func run() throws {
            var tuple = try NodeTupleFile(json: readFile(file))
            if let signWith {
                guard let certificate else { throw ValidationError("--sign-with needs --certificate.") }
                let signer = try X509Certificate(pem: readText(certificate)).publicKey
                try tuple.finish(signature: SigningOptions.run(signWith, tuple.signedBytes), by: signer)
            } else if let key {
                try tuple.sign(with: SigningKey(pem: readText(key)))
            } else {
                throw ValidationError("Give --key, or --sign-with and --certificate.")
            }
            try writeFile(file, tuple.json)
            print("Signed node \(tuple.nodeID) of \(tuple.tuple.owner) at \(tuple.tuple.address)")
            print("Next: name it in the genesis, or propose it: actions: [{set_node: \(file)}]")
        }
    }
}

/// Keys and certificates made here rather than by an authority.
enum DevelopmentIdentity {
    static func make(_ id: String, days: UInt64) throws -> (X509Certificate, SigningKey) {
        let key = try SigningKey(rawRepresentation: HostRandom.bytes(32))
        var serial = HostRandom.bytes(16)
        serial[0] = serial[0] & 0x7F | 0x40
        let now = HostClock.wallMilliseconds()
        let request = CertificateRequest(
            commonName: id, purpose: .actor, serial: serial, notBefore: now - 3_600_000,
            notAfter: now + min(days, 36_500) * 86_400_000)
        return (try X509Certificate.selfSigned(request, key: key), key)
    }
}
