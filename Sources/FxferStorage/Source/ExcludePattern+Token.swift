extension ExcludePattern {
    /// A part of a pattern.
    enum Token: Hashable, Sendable {
        case byte(UInt8)
        /// `?`
        case anyByte
        /// `[…]`
        case set([ClosedRange<UInt8>], isNegated: Bool)
        /// `*`
        case withinComponent
        /// `**`
        case acrossComponents
        /// `**/` at the start of a component: nothing, or bytes up to a slash.
        case folders
    }
}

extension ExcludePattern.Token {
    private static let slash = UInt8(ascii: "/")
    private static let star = UInt8(ascii: "*")
    private static let backslash = UInt8(ascii: "\\")

    static func parse(_ pattern: ArraySlice<UInt8>) throws(ExcludePattern.Fault) -> [Self] {
        var tokens: [Self] = []
        var rest = pattern
        while let byte = rest.popFirst() {
            switch byte {
            case Self.star:
                tokens.append(
                    Self.parseStars(&rest, startsComponent: [nil, .byte(Self.slash), .folders].contains(tokens.last))
                )
            case UInt8(ascii: "?"):
                tokens.append(.anyByte)
            case UInt8(ascii: "["):
                tokens.append(try Self.parseSet(&rest))
            default:
                tokens.append(.byte(try Self.literal(byte, &rest)))
            }
        }
        return tokens
    }

    /// After a first star.
    private static func parseStars(_ rest: inout ArraySlice<UInt8>, startsComponent: Bool) -> Self {
        guard rest.first == Self.star else { return .withinComponent }
        rest = rest.drop { $0 == Self.star }
        guard startsComponent, rest.first == Self.slash else { return .acrossComponents }
        rest.removeFirst()
        return .folders
    }

    /// After the opening bracket.
    private static func parseSet(_ rest: inout ArraySlice<UInt8>) throws(ExcludePattern.Fault) -> Self {
        let isNegated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
        if isNegated { rest.removeFirst() }
        var ranges: [ClosedRange<UInt8>] = []
        while let byte = rest.popFirst() {
            guard byte != UInt8(ascii: "]") || ranges.isEmpty else { return .set(ranges, isNegated: isNegated) }
            let lower = try Self.literal(byte, &rest)
            var upper = lower
            // A minus before the closing bracket is itself.
            if rest.first == UInt8(ascii: "-"), let end = rest.dropFirst().first, end != UInt8(ascii: "]") {
                rest.removeFirst(2)
                upper = try Self.literal(end, &rest)
            }
            guard lower <= upper else { throw .reversedRange }
            ranges.append(lower...upper)
        }
        throw .openBracket
    }

    /// `byte`, or the one after it where it is a backslash.
    private static func literal(
        _ byte: UInt8,
        _ rest: inout ArraySlice<UInt8>
    ) throws(ExcludePattern.Fault) -> UInt8 {
        guard byte == Self.backslash else { return byte }
        guard let next = rest.popFirst() else { throw .lastBackslash }
        return next
    }
}

extension ExcludePattern.Token {
    /// Whether `tokens` match all of `text`: every place in the pattern that the bytes so far can have led to is
    /// followed at once, so that no byte is looked at twice.
    static func match(_ tokens: [Self], _ text: ArraySlice<UInt8>) -> Bool {
        var places = Places(tokens)
        places.isActive[0] = true
        places.skipEmpty()
        for byte in text {
            places = places.after(byte)
        }
        return places.isActive[tokens.count]
    }

    /// Places in a pattern: before each of its tokens, and at its end.
    private struct Places {
        let tokens: [ExcludePattern.Token]
        var isActive: [Bool]
        /// Whether a `**/` has taken bytes and waits for its slash.
        var isInFolders: [Bool]

        init(_ tokens: [ExcludePattern.Token]) {
            self.tokens = tokens
            self.isActive = [Bool](repeating: false, count: tokens.count + 1)
            self.isInFolders = self.isActive
        }

        /// Adds the places behind active ones that need no byte to be reached: from the first to the last, so that each is
        /// looked at once, however many follow each other.
        mutating func skipEmpty() {
            for (place, token) in self.tokens.enumerated() where self.isActive[place] {
                switch token {
                case .withinComponent, .acrossComponents, .folders: self.isActive[place + 1] = true
                case .byte, .anyByte, .set: break
                }
            }
        }

        func after(_ byte: UInt8) -> Places {
            var next = Places(self.tokens)
            let isSlash = byte == ExcludePattern.Token.slash
            for (place, token) in self.tokens.enumerated() where self.isActive[place] || self.isInFolders[place] {
                switch token {
                case .byte(let wanted): if byte == wanted { next.isActive[place + 1] = true }
                case .anyByte: if !isSlash { next.isActive[place + 1] = true }
                case .set(let ranges, let isNegated):
                    if !isSlash, ranges.contains(where: { $0.contains(byte) }) != isNegated {
                        next.isActive[place + 1] = true
                    }
                case .withinComponent: if !isSlash { next.isActive[place] = true }
                case .acrossComponents: next.isActive[place] = true
                case .folders:
                    next.isInFolders[place] = true
                    if isSlash { next.isActive[place + 1] = true }
                }
            }
            next.skipEmpty()
            return next
        }
    }
}
