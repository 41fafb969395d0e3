/// Reads a line that ``JSONLineWriter`` wrote, field by field in the same order, and nothing else: another order, a
/// blank, an escape that need not be or a number with a leading zero make it another line.
package struct JSONLineReader: ~Copyable {
    private let line: ArraySlice<UInt8>
    private var index: Int

    /// - Parameter line: without its line feed; nil where it does not begin as an object.
    package init?(_ line: ArraySlice<UInt8>) {
        guard line.first == UInt8(ascii: "{") else { return nil }
        self.line = line
        self.index = line.startIndex + 1
    }

    /// Where the next field begins, from the line's start: the comma before it included.
    package var position: Int { self.index - self.line.startIndex }

    /// The next field, which must be a text of that name; nil where it is not.
    package mutating func text(_ name: StaticString) -> String? {
        guard self.skip(name: name), self.skip(UInt8(ascii: "\"")) else { return nil }
        var bytes: [UInt8] = []
        while self.index < self.line.endIndex {
            var byte = self.line[self.index]
            self.index += 1
            if byte == UInt8(ascii: "\"") { return String(validating: bytes, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") {
                guard self.index < self.line.endIndex else { return nil }
                byte = self.line[self.index]
                self.index += 1
                guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { return nil }
            }
            guard byte >= 0x20, byte != 0x7F else { return nil }
            bytes.append(byte)
        }
        return nil
    }

    /// ``text(_:)`` of a field that may be left out: nil in any case where it is not the next one.
    package mutating func optionalText(_ name: StaticString) -> String? {
        let start = self.index
        if let text = self.text(name) { return text }
        self.index = start
        return nil
    }

    /// The next field, which must be a number of that name; nil where it is not.
    package mutating func number(_ name: StaticString) -> UInt64? {
        guard self.skip(name: name) else { return nil }
        let digits = self.line[self.index...].prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty, digits.count == 1 || digits.first != 0x30 else { return nil }
        self.index = digits.endIndex
        return UInt64(String(decoding: digits, as: UTF8.self))
    }

    /// Whether the object ends here, and the line with it.
    package consuming func isAtEnd() -> Bool {
        self.skip(UInt8(ascii: "}")) && self.index == self.line.endIndex
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard self.index < self.line.endIndex, self.line[self.index] == byte else { return false }
        self.index += 1
        return true
    }

    private mutating func skip(name: StaticString) -> Bool {
        if self.index > self.line.startIndex + 1 {
            guard self.skip(UInt8(ascii: ",")) else { return false }
        }
        let isNamed = self.skip(UInt8(ascii: "\"")) && name.withUTF8Buffer { self.skip($0) }
        return isNamed && self.skip(UInt8(ascii: "\"")) && self.skip(UInt8(ascii: ":"))
    }

    private mutating func skip(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard self.line[self.index...].starts(with: bytes) else { return false }
        self.index += bytes.count
        return true
    }
}
