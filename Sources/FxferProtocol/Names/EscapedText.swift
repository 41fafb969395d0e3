/// Bytes from outside, made safe for a terminal, a log line, an error or JSON, without loss.
///
/// Printable Unicode passes. A backslash is doubled; every byte of anything else (a control character of C0 or C1, a
/// bidirectional override, an invisible or unassigned character, a byte that is not UTF-8) becomes `\xHH`. So the
/// text is one line, does nothing to a terminal, and can be turned back into the bytes.
package enum EscapedText {
    /// The escaped form of `bytes`.
    package static func escape(_ bytes: some Collection<UInt8>) -> String {
        Self.text(of: bytes, doublesBackslashes: true)
    }

    /// The escaped form of `text`.
    package static func escape(_ text: String) -> String {
        Self.escape(Array(text.utf8))
    }

    /// What a peer says in its own words, for a person: cut to 4,096 bytes and made safe, but not to be turned back, as
    /// names in it have been escaped by the peer already.
    package static func words(_ text: String) -> String {
        let limit = 4096
        let words = Self.text(of: Array(text.utf8.prefix(limit)), doublesBackslashes: false)
        return text.utf8.count > limit ? words + "…" : words
    }

    private static func text(of bytes: some Collection<UInt8>, doublesBackslashes: Bool) -> String {
        // Nearly every name is of this kind.
        let backslash = UInt8(ascii: "\\")
        if bytes.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != backslash }) {
            return String(decoding: bytes, as: UTF8.self)
        }
        var text = String()
        text.reserveCapacity(bytes.count)
        var rest = bytes[...]
        while !rest.isEmpty {
            var decoder = UTF8()
            var iterator = rest.makeIterator()
            if case .scalarValue(let scalar) = decoder.decode(&iterator) {
                if scalar == "\\", doublesBackslashes { text.append("\\") }
                Self.append(scalar, to: &text)
                rest = rest.dropFirst(UTF8.width(scalar))
            } else {
                Self.append(byte: rest[rest.startIndex], to: &text)
                rest = rest.dropFirst()
            }
        }
        return text
    }

    private static func append(_ scalar: Unicode.Scalar, to text: inout String) {
        if Self.isPrintable(scalar) {
            text.unicodeScalars.append(scalar)
        } else {
            for byte in UTF8.encode(scalar).map(Array.init) ?? [] {
                Self.append(byte: byte, to: &text)
            }
        }
    }

    private static func append(byte: UInt8, to text: inout String) {
        let digits = Array("0123456789abcdef".unicodeScalars)
        text.append("\\x")
        text.unicodeScalars.append(digits[Int(byte >> 4)])
        text.unicodeScalars.append(digits[Int(byte & 15)])
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            false
        case .spaceSeparator:
            scalar == " "
        default:
            !scalar.properties.isDefaultIgnorableCodePoint
        }
    }
}
