@testable import FxferStorage

extension FuzzTarget {
    /// A pattern matches what its parts match, by a table that is filled in from the end.
    ///
    /// Input: the length of the pattern, the pattern, a path.
    static let excludePattern = FuzzTarget(
        "exclude-pattern",
        maxLength: 400,
        seeds: [
            ("*.o", "a.o"), ("**/a", "x/y/a"), ("x/**/a", "x/y/z/a"), ("/*/*b/**/c", "a/xb/y/z/c"), ("[!a-c]?", "dx"),
            ("a***b", "axb"), ("[]a-]\\]/", "-]"), ("**/**/**/x*?", "a/b/xy"), ("[z-a]", "a"), ("a\\", "a"),
        ].map { [UInt8($0.0.utf8.count)] + Array($0.0.utf8) + Array($0.1.utf8) }
    ) { bytes in
        var input = FuzzInput(bytes)
        let body = input.bytes(Int(input.byte()))
        let path = Array(input.rest)
        guard let pattern = try? ExcludePattern(body) else { return }
        let isForFolders = !pattern.matches(path, isFolder: false) && pattern.matches(path, isFolder: true)
        try require(!isForFolders || body.last == UInt8(ascii: "/"), "a pattern matches folders only")
        let slash = UInt8(ascii: "/")
        var rest = body[...]
        let backslashes = rest.dropLast().reversed().prefix { $0 == 0x5C }.count
        if rest.last == slash, backslashes.isMultiple(of: 2) { rest.removeLast() }
        let isAnchored = rest.first == slash
        if isAnchored { rest.removeFirst() }
        let isWhole = isAnchored || rest.contains(slash)
        let name = path.split(separator: slash, omittingEmptySubsequences: false).last ?? []
        let tokens = try ExcludePattern.Token.parse(rest)
        try require(
            pattern.matches(path, isFolder: true) == Self.matches(tokens, isWhole ? path : Array(name)),
            "the pattern does not match as its parts do"
        )
    }

    private static func matches(_ tokens: [ExcludePattern.Token], _ text: [UInt8]) -> Bool {
        let slash = UInt8(ascii: "/")
        // Whether what is left of the tokens matches what is left of the text.
        var table = Array(repeating: Array(repeating: false, count: text.count + 1), count: tokens.count + 1)
        table[tokens.count][text.count] = true
        for token in tokens.indices.reversed() {
            for place in (0...text.count).reversed() {
                let byte = place < text.count ? text[place] : nil
                func one(_ fits: (UInt8) -> Bool) -> Bool { byte.map(fits) == true && table[token + 1][place + 1] }
                let isEmpty = table[token + 1][place]
                table[token][place] =
                    switch tokens[token] {
                    case .byte(let wanted): one { $0 == wanted }
                    case .anyByte: one { $0 != slash }
                    case .set(let ranges, let isNegated):
                        one { byte in byte != slash && ranges.contains { $0.contains(byte) } != isNegated }
                    case .withinComponent: isEmpty || byte != nil && byte != slash && table[token][place + 1]
                    case .acrossComponents: isEmpty || byte != nil && table[token][place + 1]
                    case .folders:
                        isEmpty || (place..<text.count).contains { text[$0] == slash && table[token + 1][$0 + 1] }
                    }
            }
        }
        return table[0][0]
    }
}
