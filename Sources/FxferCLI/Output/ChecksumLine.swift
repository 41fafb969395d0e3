import FxferProtocol

/// A line as `sha256sum` prints it and `sha256sum -c` reads it: digest, two spaces, name. A name with a backslash is
/// escaped as GNU does: the line begins with a backslash, and each one in the name is doubled.
enum ChecksumLine {
    /// The line's bytes with its end. For a terminal, what could act on it is escaped.
    static func bytes(_ digest: Digest, _ path: [UInt8], forTerminal: Bool) -> [UInt8] {
        let backslash = UInt8(ascii: "\\")
        let hasBackslash = path.contains(backslash)
        var line = hasBackslash ? [backslash] : []
        line += digest.hex.utf8
        line += "  ".utf8
        if forTerminal {
            line += EscapedText.escape(path).utf8
        } else if hasBackslash {
            line += path.flatMap { $0 == backslash ? [$0, $0] : [$0] }
        } else {
            line += path
        }
        line.append(UInt8(ascii: "\n"))
        return line
    }
}
