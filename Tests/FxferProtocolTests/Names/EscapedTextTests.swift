import FxferProtocol
import Testing

@Suite("Escaped text")
struct EscapedTextTests {
    static let cases: [(bytes: [UInt8], text: String)] = [
        (Array("plain name.txt".utf8), "plain name.txt"),
        (Array("Grüße 文件 é".utf8), "Grüße 文件 é"),
        (Array("\u{1B}[2J\u{1B}]0;x\u{07}".utf8), #"\x1b[2J\x1b]0;x\x07"#),
        (Array("a\r\nb\tc\0".utf8), #"a\x0d\x0ab\x09c\x00"#),
        (Array("\u{7F}".utf8), #"\x7f"#),
        ([0x9B, 0x32, 0x4A], #"\x9b2J"#),
        (Array("\u{9B}2J".utf8), #"\xc2\x9b2J"#),
        (Array("a\u{202E}b\u{2066}c".utf8), #"a\xe2\x80\xaeb\xe2\x81\xa6c"#),
        (Array("a\u{200B}b\u{FEFF}c\u{00AD}".utf8), #"a\xe2\x80\x8bb\xef\xbb\xbfc\xc2\xad"#),
        (Array("\u{3164}".utf8), #"\xe3\x85\xa4"#),
        (Array("\u{2028}\u{2029}".utf8), #"\xe2\x80\xa8\xe2\x80\xa9"#),
        (Array("\u{A0}\u{3000}".utf8), #"\xc2\xa0\xe3\x80\x80"#),
        (Array("\u{E000}\u{10FFFF}".utf8), #"\xee\x80\x80\xf4\x8f\xbf\xbf"#),
        (Array("\u{E0041}".utf8), #"\xf3\xa0\x81\x81"#),
        (Array(#"a\b"#.utf8), #"a\\b"#),
        (Array(#"\x41"#.utf8), #"\\x41"#),
        ([0xFF, 0xFE], #"\xff\xfe"#),
        ([0xC3], #"\xc3"#),
        ([0xE2, 0x82, 0x41], #"\xe2\x82A"#),
        ([0xC0, 0xAE], #"\xc0\xae"#),
        ([0xED, 0xA0, 0x80], #"\xed\xa0\x80"#),
        ([0xF5, 0x80, 0x80, 0x80], #"\xf5\x80\x80\x80"#),
        (Array("\u{FFFD}".utf8), "\u{FFFD}"),
    ]

    @Test("what is not printable is shown by its bytes", arguments: Self.cases)
    func escaping(bytes: [UInt8], text: String) {
        #expect(Array(EscapedText.escape(bytes).utf8) == Array(text.utf8))
        #expect(Self.unescape(text) == bytes)
    }

    @Test("escaped text can be turned back into the bytes, whatever they are", arguments: 0..<32)
    func lossless(batch: Int) {
        var generator = SeededGenerator(seed: batch)
        for _ in 0..<100 {
            let bytes = Self.randomBytes(&generator)
            let text = EscapedText.escape(bytes)
            #expect(Self.unescape(text) == bytes)
            #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        }
    }

    @Test("text from a peer is escaped as its UTF-8")
    func text() {
        #expect(EscapedText.escape("a\u{1B}\\") == #"a\x1b\\"#)
    }

    /// Bytes, scalars of every plane and backslashes in a row.
    private static func randomBytes(_ generator: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: 0...24, using: &generator)).flatMap { _ -> [UInt8] in
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: generator.bytes(1)
            case 1: Array(#"\x"#.utf8.prefix(Int.random(in: 1...2, using: &generator)))
            case 2: Array(String(Unicode.Scalar(UInt32.random(in: 0..<0x3000, using: &generator)) ?? "a").utf8)
            default: Array(String(Unicode.Scalar(UInt32.random(in: 0..<0x11_0000, using: &generator)) ?? "b").utf8)
            }
        }
    }

    /// The bytes behind an escaped text, nil where it is none.
    static func unescape(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "\\"):
                bytes.append(byte)
            case UInt8(ascii: "x"):
                guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default:
                return nil
            }
        }
        return bytes
    }
}
