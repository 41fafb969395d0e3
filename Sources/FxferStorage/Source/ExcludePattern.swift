import FxferProtocol

/// A pattern of names that are not sent, much as in rsync and gitignore.
///
/// | in the pattern | matches |
/// |---|---|
/// | `*` | any bytes but a slash |
/// | `**` | any bytes |
/// | `**/` at the start of a component | no folder, or any number of them |
/// | `?` | one byte but a slash |
/// | `[a-z_]`, `[!a-z_]`, `[^a-z_]` | one byte that is, or is not, one of these, never a slash; `]` first is itself |
/// | `\` | the next byte as it is |
/// | `/` at the end | folders only |
///
/// Without another slash the pattern is matched against the name of each file and folder, at any depth. With one, at
/// the start or inside, it is matched against the whole path below the root that is sent. Bytes are compared, not
/// characters: an `é` takes two `?`. A folder that matches is left out with all of its contents.
package struct ExcludePattern: Hashable, Sendable {
    private let tokens: [Token]
    private let matchesWholePath: Bool
    private let matchesFoldersOnly: Bool

    /// - Throws: `.usage` where the pattern is empty, has a bracket that is not closed, a range that ends before it
    ///   begins, or ends with a backslash.
    package init(_ pattern: some Collection<UInt8>) throws(FxferError) {
        do throws(Fault) {
            var body = Array(pattern)[...]
            self.matchesFoldersOnly = body.last == UInt8(ascii: "/") && !Self.endsEscaped(body)
            if self.matchesFoldersOnly { body.removeLast() }
            let isAnchored = body.first == UInt8(ascii: "/")
            if isAnchored { body.removeFirst() }
            guard !body.isEmpty else { throw .empty }
            self.tokens = try Token.parse(body)
            self.matchesWholePath = isAnchored || body.contains(UInt8(ascii: "/"))
        } catch {
            throw FxferError(.usage, "the pattern '\(EscapedText.escape(pattern))' \(error.rawValue)")
        }
    }

    /// Whether a file or folder is left out whose path below the root is `path`.
    ///
    /// Takes time in proportion to the lengths of the path and the pattern, multiplied.
    package func matches(_ path: [UInt8], isFolder: Bool) -> Bool {
        guard isFolder || !self.matchesFoldersOnly else { return false }
        guard !self.matchesWholePath else { return Token.match(self.tokens, path[...]) }
        let name = path[((path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...]
        return Token.match(self.tokens, name)
    }

    /// Whether the last byte is taken as it is: an odd number of backslashes stands before it.
    private static func endsEscaped(_ body: ArraySlice<UInt8>) -> Bool {
        let backslashes = body.dropLast().reversed().prefix { $0 == UInt8(ascii: "\\") }
        return !backslashes.count.isMultiple(of: 2)
    }
}

extension ExcludePattern {
    /// What is wrong with a pattern, as the end of a sentence.
    enum Fault: String, Error {
        case empty = "matches nothing: it is empty"
        case openBracket = "has a '[' without its ']'"
        case reversedRange = "has a range that ends before it begins"
        case lastBackslash = "ends with a backslash, which stands for nothing"
    }
}
