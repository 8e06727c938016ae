import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing
import Transport

/// Session resumption, which stock clients do by themselves, here with the `openssl` command line.
@Suite struct ResumptionTests {
    static let hasOpenSSL = system("openssl version > /dev/null 2>&1") == 0

    /// What `openssl s_client` printed for one request.
    private static func request(_ folder: String, _ port: Int, _ options: String) async -> String {
        let command =
            "cd \(folder) && (printf 'GET / HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n'; sleep 1) | "
            + "openssl s_client -connect 127.0.0.1:\(port) -cert chain.pem -key key.pem \(options) > out.txt 2>&1"
        // On a thread of NIO's, since it blocks.
        let thread = NIOThreadPool.singleton
        return await withCheckedContinuation { continuation in
            thread.submit { _ in
                _ = system(command)
                continuation.resume(returning: read("\(folder)/out.txt"))
            }
        }
    }

    private static func read(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }

    @Test(.enabled(if: hasOpenSSL, "the openssl command is not installed"))
    func resumedSessionsAreJudgedAgain() async throws {
        var template = Array("/tmp/entente-tls-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { _ = system("rm -r \(folder)") }
        let authority = try TestAuthority()
        let (chain, key) = try authority.issuePEM("bank-a")
        for (name, text) in [("chain.pem", chain), ("key.pem", key)] {
            let descriptor = open("\(folder)/\(name)", O_WRONLY | O_CREAT, 0o600)
            _ = text.withCString { write(descriptor, $0, text.utf8.count) }
            close(descriptor)
        }
        let removed = Mutex(false)
        let asked = Mutex(0)
        let verifier = PeerVerifier { chain in
            asked.withLock { $0 += 1 }
            let name = TestAuthority.commonName(chain.first)
            return removed.withLock { $0 } ? .refused(reason: "no member any more") : .accepted(session: name)
        }
        try await withLoops { group in
            let (descriptor, port) = try listen()
            let log = LogLines()
            let server = try await HTTPServer.start(
                name: "application", descriptor: descriptor,
                tls: TLSServerSettings(identity: try authority.issue("node"), verifier: verifier),
                handler: HTTPSTests.whoAmI, group: group, logger: log.logger)
            let first = await Self.request(folder, port, "-sess_out session")
            #expect(first.contains("HTTP/1.1 200 OK") && first.contains("bank-a 1"))
            let second = await Self.request(folder, port, "-sess_in session -sess_out session")
            #expect(second.contains("Reused, TLSv1.3"))
            #expect(second.contains("HTTP/1.1 200 OK") && second.contains("bank-a 1"))
            #expect(asked.withLock { $0 } == 2)
            removed.withLock { $0 = true }
            let third = await Self.request(folder, port, "-sess_in session")
            #expect(third.contains("Reused, TLSv1.3"))
            #expect(!third.contains("HTTP/1.1"))
            #expect(log.all.contains { $0.contains("no member any more") })
            #expect(server.statistics.requests == 2)
            await server.stop(grace: .zero)
        }
    }
}
