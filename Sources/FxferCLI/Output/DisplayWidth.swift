/// How many columns of a terminal a text takes: two for what East Asian scripts and emoji draw wide, none for what is
/// drawn over the character before it (Unicode Standard Annex 11, in broad ranges).
enum DisplayWidth {
    /// Cuts a text to that many columns; what was cut off is shown as an ellipsis.
    static func cut(_ text: String, to columns: Int) -> String {
        guard self.columns(of: text) > columns else { return text }
        var result = ""
        var used = 0
        for character in text {
            used += self.columns(of: String(character))
            guard used < columns else { break }
            result.append(character)
        }
        return columns > 0 ? result + "…" : ""
    }

    static func columns(of text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + self.columns(of: $1) }
    }

    private static func columns(of scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: 0
        default: self.wide.contains { $0.contains(scalar.value) } ? 2 : 1
        }
    }

    /// Hangul, CJK, kana, fullwidth forms, emoji and symbols that terminals draw wide.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x231A...0x23FF, 0x2614...0x27BF, 0x2B1B...0x2B55, 0x2E80...0xA4CF, 0xA960...0xA97F,
        0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18DFF,
        0x1B000...0x1B2FF, 0x1F000...0x1FAFF, 0x20000...0x3FFFD,
    ]
}
