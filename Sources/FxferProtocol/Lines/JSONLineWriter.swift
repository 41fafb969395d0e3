/// Writes one line of JSON: an object of texts and whole numbers, in the order in which they are added.
///
/// There is one form for each content, so that a line can be hashed and signed; ``JSONLineReader`` takes no other.
package struct JSONLineWriter {
    /// The object so far, from its brace on, without the last one.
    package private(set) var bytes: [UInt8] = [UInt8(ascii: "{")]

    package init() {
        self.bytes.reserveCapacity(512)
    }

    /// Adds a text. Of what JSON escapes it may have quotation marks and backslashes only, so ``EscapedText`` first
    /// where it comes from outside.
    package mutating func add(_ name: StaticString, _ text: String) {
        self.add(name: name)
        self.bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { self.bytes.append(UInt8(ascii: "\\")) }
            self.bytes.append(byte)
        }
        self.bytes.append(UInt8(ascii: "\""))
    }

    /// Adds a digest as a text: its hexadecimal digits.
    package mutating func add(_ name: StaticString, _ digest: Digest) {
        self.add(name: name)
        self.bytes.append(UInt8(ascii: "\""))
        digest.appendHex(to: &self.bytes)
        self.bytes.append(UInt8(ascii: "\""))
    }

    /// Adds a number.
    package mutating func add(_ name: StaticString, _ number: UInt64) {
        self.add(name: name)
        self.bytes.append(contentsOf: String(number).utf8)
    }

    private mutating func add(name: StaticString) {
        if self.bytes.count > 1 { self.bytes.append(UInt8(ascii: ",")) }
        self.bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { self.bytes.append(contentsOf: $0) }
        self.bytes.append(UInt8(ascii: "\""))
        self.bytes.append(UInt8(ascii: ":"))
    }

    /// The whole line, its line feed included.
    package consuming func finish() -> [UInt8] {
        self.bytes.append(UInt8(ascii: "}"))
        self.bytes.append(UInt8(ascii: "\n"))
        return self.bytes
    }
}
