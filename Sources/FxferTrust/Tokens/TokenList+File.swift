import FxferProtocol

extension TokenList {
    private static let rules = FileRules(
        title: "token file",
        maxSize: 256 << 10,
        forbidden: 0o027,
        checksOwner: true,
        takesPipe: true
    )

    /// Reads a token file: a line for each, `TOKEN`, `NAME:TOKEN` or `NAME:TOKEN:RIGHTS`, the rights being `upload`,
    /// `read` and `list` with commas between them, all of them where none is named. Empty lines and those that begin
    /// with `#` are passed over, as is white space around a line. Waits for the disk.
    ///
    /// - Throws: `.noInput` for a file that is no such list, with the number of the line and without a word of it,
    ///   `.notPermitted` where the file belongs to another user, others have access to it or this user has none, `.io`.
    public static func load(path: [UInt8]) throws(FxferError) -> TokenList {
        try Self.parse(self.rules.read(path: path), path: EscapedText.escape(path))
    }

    /// Reads a token file once more, for a process that serves meanwhile: like ``load(path:)``, but it has to be a file. A
    /// FIFO would be waited for.
    public static func reload(path: [UInt8]) throws(FxferError) -> TokenList {
        var rules = self.rules
        rules.takesPipe = false
        return try Self.parse(rules.read(path: path), path: EscapedText.escape(path))
    }

    /// Reads a client's token from a token file with one entry.
    ///
    /// - Throws: as ``load(path:)``.
    public static func loadToken(path: [UInt8]) throws(FxferError) -> Token {
        let entries = try Self.load(path: path).entries
        guard entries.count == 1 else {
            throw FxferError(
                .noInput,
                "the token file '\(EscapedText.escape(path))' has \(entries.count) tokens; name a file with one"
            )
        }
        return entries[0].token
    }

    /// Reads the content of a token file; `path` is for errors, escaped.
    static func parse(_ text: [UInt8], path: String) throws(FxferError) -> TokenList {
        var entries: [Entry] = []
        var names: Set<String> = []
        var tokens: Set<Token> = []
        for (index, line) in TextLines(text).enumerated() where !TextLines.isEmptyOrComment(line) {
            func failure(_ explanation: String) -> FxferError {
                FxferError(.noInput, "line \(index + 1) of the token file '\(path)' \(explanation); correct it")
            }
            guard entries.count < Self.maxCount else {
                throw failure("is one more than the \(Self.maxCount) tokens that a file can have")
            }
            let entry: Entry
            do throws(TokenLineFailure) {
                entry = try Entry(line: line)
            } catch {
                throw failure(error.explanation)
            }
            guard names.insert(entry.name).inserted else { throw failure("has a name that an earlier line has") }
            guard tokens.insert(entry.token).inserted else { throw failure("has a token that an earlier line has") }
            entries.append(entry)
        }
        guard !entries.isEmpty else {
            throw FxferError(.noInput, "there is no token in the token file '\(path)'; 'fxfer token' makes one")
        }
        return TokenList(entries: entries)
    }
}
