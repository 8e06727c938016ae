import Foundation
import Host
import Logging
import Synchronization
import Testing

@Suite struct LogTests {
    private final class Sink: Sendable {
        let lines = Mutex<[[UInt8]]>([])
    }

    @Test func linesAreJSONObjects() throws {
        let sink = Sink()
        var logger = Logger(label: "program") { label in
            JSONLogHandler(label: label) { bytes in sink.lines.withLock { $0.append(bytes) } }
        }
        logger[metadataKey: "node"] = "n1"
        logger.debug("too quiet")
        logger.warning(
            "a \"message\"\nwith lines",
            metadata: [
                "list": ["a", "b"], "map": ["x": "1"], "number": .stringConvertible(7), "control": "\u{1}\u{2028}",
                "node": "n2",
            ])
        let lines = sink.lines.withLock { $0 }
        try #require(lines.count == 1)
        #expect(lines[0].last == 0x0a && lines[0].filter { $0 == 0x0a }.count == 1)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(lines[0])) as? [String: Any])
        #expect(Set(object.keys) == ["time", "level", "logger", "message", "fields"])
        #expect(object["level"] as? String == "warning" && object["logger"] as? String == "program")
        #expect(object["message"] as? String == "a \"message\"\nwith lines")
        let fields = try #require(object["fields"] as? [String: Any])
        #expect(fields["list"] as? [String] == ["a", "b"])
        #expect(fields["map"] as? [String: String] == ["x": "1"])
        #expect(fields["number"] as? String == "7" && fields["node"] as? String == "n2")
        #expect(fields["control"] as? String == "\u{1}\u{2028}")
    }

    @Test func timesAreRFC3339() {
        let line = JSONLogHandler.line(
            time: 1_769_903_999_007, level: .info, label: "l", message: "m", fields: [:])
        #expect(
            String(decoding: line, as: UTF8.self)
                == "{\"time\":\"2026-01-31T23:59:59.007Z\",\"level\":\"info\",\"logger\":\"l\",\"message\":\"m\",\"fields\":{}}\n"
        )
    }

    @Test func formsAreNamedAsInTheConfiguration() {
        #expect(LogForm.allCases.map(\.rawValue) == ["text", "json"])
        #expect(LogForm.json.handler(label: "x") is JSONLogHandler)
        #expect(LogForm.text.handler(label: "x") is StreamLogHandler)
    }
}
