import Logging
import ManagerRuntime
import NIOCore
import NIOEmbedded
import Transport

extension FuzzTarget {
    static let transport: [FuzzTarget] = [http, queryParameters]

    private static func post(_ fields: String, _ body: String) -> [UInt8] {
        Array("POST /?a=b HTTP/1.1\r\nHost: x\r\n\(fields)\r\n\(body)".utf8)
    }

    /// What a client sends on a connection of the HTTP front, in pieces whose length is the first byte.
    static let http = FuzzTarget("http") {
        [
            ("post", [40] + post("Content-Length: 2\r\n", "{}")),
            ("chunked", [7] + post("Transfer-Encoding: chunked\r\n", "1\r\n{\r\n1;x=y\r\n}\r\n0\r\nT: v\r\n\r\n")),
            (
                "two",
                [255] + post("Content-Length: 1\r\n", "1") + Array("GET /b HTTP/1.0\r\nConnection: close\r\n\r\n".utf8)
            ),
            ("continue", [90] + post("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc")),
            ("head", [9] + Array("HEAD /x?%41=+ HTTP/1.1\r\nHost: y\r\nUpgrade: h2c\r\n\r\n".utf8)),
        ]
    } check: { bytes in
        guard let step = bytes.first.map({ Int($0) + 1 }) else { return }
        let stream = Array(bytes.dropFirst())
        var limits = HTTPLimits()
        limits.bodyBytesMax = 512
        limits.targetBytesMax = 256
        limits.headerCountMax = 16
        limits.headerBytesMax = 1024
        let server = HTTPServer.embedded(limits: limits, handler: Echo(), logger: quiet)
        let channel = EmbeddedChannel()
        try server.initialize(channel).wait()
        try channel.connect(to: .init(ipAddress: "127.0.0.1", port: 1)).wait()
        for start in stride(from: 0, to: stream.count, by: step) where channel.isActive {
            let piece = stream[start..<min(stream.count, start + step)]
            _ = try? channel.writeInbound(channel.allocator.buffer(bytes: piece))
            channel.embeddedEventLoop.run()
        }
        var answered: [UInt8] = []
        while let part = try channel.readOutbound(as: ByteBuffer.self) { answered += Array(part.readableBytesView) }
        if !answered.isEmpty, !answered.starts(with: Array("HTTP/1.".utf8)) {
            throw FuzzFinding("an answer that is no HTTP")
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        let counts = server.statistics
        guard counts.requestsPending == 0, counts.bodyBytesPending == 0 else {
            throw FuzzFinding(
                "\(counts.requestsPending) requests and \(counts.bodyBytesPending) bytes are left after the connection")
        }
    }

    private static let quiet = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }

    static let queryParameters = FuzzTarget("query-parameters", byteCountMax: 1024) {
        [("two", Array("a=%41+b&c&=d%zz".utf8))]
    } check: { bytes in
        let parameters = QueryParameters.parse(Substring(String(decoding: bytes, as: UTF8.self)))
        guard parameters.count <= 32 else { throw FuzzFinding("\(parameters.count) parameters") }
    }
}

/// Answers with what it got, so that every part of a request is looked at.
private struct Echo: HTTPHandler {
    func handle(_ request: HTTPRequest, respond: HTTPResponder) {
        let query = request.query.map(String.init) ?? ""
        respond(
            HTTPResponse(
                status: request.method == "DELETE" ? 404 : 200,
                headers: request.headers.map { (name: "x-" + $0.name, value: $0.value) } + [("x-query", query)],
                body: Array(request.path.utf8) + request.body))
    }
}
