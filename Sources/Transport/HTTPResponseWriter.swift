internal import NIOCore
internal import NIOHTTP1

/// Writes answers as bytes: one pass into the connection's output buffer, without NIOHTTP1's encoder.
enum HTTPResponseWriter {
    static func write(_ response: HTTPResponse, isHead: Bool, isOld: Bool, closes: Bool, to output: inout ByteBuffer) {
        if response.status == 200 {
            output.writeStaticString("HTTP/1.1 200 OK\r\n")
        } else {
            let status = (200...599).contains(response.status) ? response.status : 500
            output.writeString("HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n")
        }
        if let type = response.contentType {
            if type == "application/json" {
                output.writeStaticString("content-type: application/json\r\n")
            } else {
                field("content-type", type, to: &output)
            }
        }
        for (name, value) in response.headers { field(name, value, to: &output) }
        let bodiless = response.status == 204 || response.status == 304
        if !bodiless {
            output.writeStaticString("content-length: ")
            output.writeString(String(response.body.count))
            output.writeStaticString("\r\n")
        }
        if closes {
            output.writeStaticString("connection: close\r\n")
        } else if isOld {
            output.writeStaticString("connection: keep-alive\r\n")
        }
        output.writeStaticString("\r\n")
        if !isHead, !bodiless { output.writeBytes(response.body) }
    }

    private static func field(_ name: String, _ value: String, to output: inout ByteBuffer) {
        guard isClean(name), isClean(value), !name.isEmpty, !name.utf8.contains(UInt8(ascii: ":")) else { return }
        output.writeString(name)
        output.writeStaticString(": ")
        output.writeString(value)
        output.writeStaticString("\r\n")
    }

    private static func isClean(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } }
}
