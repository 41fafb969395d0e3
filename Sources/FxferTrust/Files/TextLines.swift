/// The lines of a file that people write by hand, one after the other: a line's number is its index plus 1.
///
/// They are without their ends, which are LF or CR LF, and without spaces and tabs around them.
struct TextLines: Sequence, IteratorProtocol {
    /// What was not read yet; nil after the last line.
    private var rest: ArraySlice<UInt8>?

    init(_ text: [UInt8]) {
        self.rest = text[...]
    }

    mutating func next() -> ArraySlice<UInt8>? {
        guard let rest else { return nil }
        let end = rest.firstIndex(of: UInt8(ascii: "\n"))
        self.rest = end.map { rest[($0 + 1)...] }
        let line = rest[..<(end ?? rest.endIndex)].drop(while: Self.isSpace)
        return line.prefix(upTo: line.lastIndex { !Self.isSpace($0) }.map { $0 + 1 } ?? line.startIndex)
    }

    /// Whether there is nothing to read in a line.
    static func isEmptyOrComment(_ line: ArraySlice<UInt8>) -> Bool {
        line.first == nil || line.first == UInt8(ascii: "#")
    }

    /// Whether it is a space, a tab or a CR.
    static func isSpace(_ character: UInt8) -> Bool {
        character == UInt8(ascii: " ") || character == UInt8(ascii: "\t") || character == UInt8(ascii: "\r")
    }
}
