/// Reads the few XML answers of a store, which may come from anybody: elements and text, and nothing else that XML has.
///
/// Attributes are passed over. A document type, a processing instruction behind the declaration, CDATA, comments and
/// entities of its own make it another document, as do elements that do not end, go too deep, or are too many.
struct XMLReader {
    /// How deep elements may go.
    private static let maxDepth = 8

    /// How many elements there may be: more than twenty for each of a thousand entries.
    private static let maxElements = 25_000

    private var rest: ArraySlice<UInt8>
    private var elements = 0

    private init(_ document: some Collection<UInt8>) {
        self.rest = Array(document)[...]
    }

    /// Reads the one element that `document` is; nil where it is none, or not as it should be.
    static func read(_ document: some Collection<UInt8>) -> XMLElement? {
        var reader = XMLReader(document)
        if reader.rest.starts(with: [0xEF, 0xBB, 0xBF]) { reader.rest = reader.rest.dropFirst(3) }
        reader.skipSpace()
        if reader.skip("<?xml") {
            guard let end = reader.find("?>") else { return nil }
            reader.rest = reader.rest[(end + 2)...]
            reader.skipSpace()
        }
        guard let root = reader.element(depth: 1) else { return nil }
        reader.skipSpace()
        return reader.rest.isEmpty ? root : nil
    }

    private mutating func element(depth: Int) -> XMLElement? {
        guard depth <= Self.maxDepth, self.skip("<"), let name = self.name(), let isEmpty = self.skipAttributes() else {
            return nil
        }
        self.elements += 1
        guard self.elements <= Self.maxElements else { return nil }
        var element = XMLElement(name: name)
        guard !isEmpty else { return element }
        var text: [UInt8] = []
        while let byte = self.rest.first {
            if self.skip("</") {
                guard self.name() == name else { return nil }
                self.skipSpace()
                guard self.skip(">"), let valid = String(validating: text, as: UTF8.self) else { return nil }
                element.text = valid
                return element
            } else if byte == UInt8(ascii: "<") {
                guard let child = self.element(depth: depth + 1) else { return nil }
                element.children.append(child)
            } else {
                guard let piece = self.text() else { return nil }
                text += piece
            }
        }
        return nil
    }

    private mutating func name() -> String? {
        let name = self.rest.prefix { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard !name.isEmpty, name.count <= 128 else { return nil }
        self.rest = self.rest[name.endIndex...]
        return String(decoding: name, as: UTF8.self)
    }

    /// Passes over attributes and the end of a start tag; answers whether the element ends with it.
    private mutating func skipAttributes() -> Bool? {
        while true {
            self.skipSpace()
            if self.skip("/>") { return true }
            if self.skip(">") { return false }
            guard self.name() != nil else { return nil }
            self.skipSpace()
            guard self.skip("="), let quote = self.quote(), let end = self.rest.firstIndex(of: quote),
                !self.rest[..<end].contains(UInt8(ascii: "<"))
            else { return nil }
            self.rest = self.rest[(end + 1)...]
        }
    }

    private mutating func quote() -> UInt8? {
        self.skipSpace()
        guard let byte = self.rest.first, byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") else { return nil }
        self.rest = self.rest.dropFirst()
        return byte
    }

    /// Text up to the next tag or reference, or what one reference stands for.
    private mutating func text() -> [UInt8]? {
        guard self.skip("&") else {
            let text = self.rest.prefix { $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: "&") }
            self.rest = self.rest[text.endIndex...]
            return Array(text)
        }
        // The longest is &#1114111;
        guard let end = self.rest.prefix(10).firstIndex(of: UInt8(ascii: ";")) else { return nil }
        let reference = String(decoding: self.rest[..<end], as: UTF8.self)
        self.rest = self.rest[(end + 1)...]
        switch reference {
        case "amp": return [UInt8(ascii: "&")]
        case "lt": return [UInt8(ascii: "<")]
        case "gt": return [UInt8(ascii: ">")]
        case "quot": return [UInt8(ascii: "\"")]
        case "apos": return [UInt8(ascii: "'")]
        default:
            guard reference.first == "#" else { return nil }
            let isHex = reference.dropFirst().first == "x"
            let digits = reference.dropFirst(isHex ? 2 : 1)
            guard digits.first?.isHexDigit == true, let value = UInt32(digits, radix: isHex ? 16 : 10),
                let scalar = Unicode.Scalar(value)
            else { return nil }
            return Array(String(scalar).utf8)
        }
    }

    private mutating func skip(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { bytes in
            guard self.rest.starts(with: bytes) else { return false }
            self.rest = self.rest.dropFirst(bytes.count)
            return true
        }
    }

    private func find(_ text: StaticString) -> Int? {
        text.withUTF8Buffer { bytes in self.rest.indices.first { self.rest[$0...].starts(with: bytes) } }
    }

    private mutating func skipSpace() {
        self.rest = self.rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    }
}

/// An element of an answer.
struct XMLElement: Hashable, Sendable {
    let name: String
    fileprivate(set) var children: [XMLElement] = []
    /// All of its own text, references resolved.
    fileprivate(set) var text = ""

    fileprivate init(name: String) {
        self.name = name
    }

    /// The text of the first child of that name; nil where there is none.
    subscript(name: String) -> String? {
        self.children.first { $0.name == name }?.text
    }

    /// All children of that name.
    func all(_ name: String) -> [XMLElement] {
        self.children.filter { $0.name == name }
    }
}
