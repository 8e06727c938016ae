/// Finds anchors in the text of a YAML file, before the library builds anything of it: nested aliases can stand for more
/// than a machine holds, and the library compares names of settings that are such.
///
/// A coarse reading: an `&` and a letter at the start of a word, outside of quotes and comments. A block text with such a
/// word is taken for an anchor as well, and has to be quoted.
enum YAMLAnchors {
    /// The line of the first anchor, from 1; nil when there is none.
    static func firstLine(in text: String) -> Int? {
        var line = 1
        var quote: UInt8?
        var isComment = false
        var previous = UInt8(ascii: "\n")
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\n") {
                line += 1
                isComment = false
            } else if isComment {
                continue
            } else if let open = quote {
                // An escaped quote opens and closes once more at worst, which ends in the same state.
                if byte == open, previous != UInt8(ascii: "\\") || open == UInt8(ascii: "'") { quote = nil }
            } else if startsWord(after: previous) {
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "'"): quote = byte
                case UInt8(ascii: "#"): isComment = true
                case UInt8(ascii: "&"):
                    if index + 1 < bytes.count, isName(bytes[index + 1]) { return line }
                default: break
                }
            }
            previous = byte
        }
        return nil
    }

    private static func startsWord(after byte: UInt8) -> Bool {
        byte <= 0x20 || "[]{},:-?".utf8.contains(byte)
    }

    private static func isName(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
}
