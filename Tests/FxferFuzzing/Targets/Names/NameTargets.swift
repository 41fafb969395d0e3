@testable import FxferProtocol

extension FuzzTarget {
    private static let names: [[UInt8]] = [
        Array("a/b.txt".utf8), Array("../x".utf8), Array("/etc/x".utf8), Array("a//b".utf8), Array(".fxfer/x".utf8),
        Array("é/\u{202E}x\\\u{200D}".utf8), Array("e\u{301}/\u{301}".utf8),
        [0x61, 0xFF, 0xC0, 0x80, 0x2F, 0xED, 0xA0, 0x80], Array("\u{9B}31m\r\n\t\u{7F}".utf8),
        Array(repeating: 0x61, count: 256), Array("a/".utf8), Array("..a/...".utf8),
        Array("\\x41\\\\".utf8), Array("\u{10FFFF}\u{E000}\u{F8FF}".utf8),
    ]

    /// A path is taken where each rule holds for its bytes, and nowhere else.
    ///
    /// Input: the path.
    static let relativePath = FuzzTarget("relative-path", maxLength: 5000, seeds: Self.names) { bytes in
        let components = bytes.split(separator: 0x2F, omittingEmptySubsequences: false)
        let isGood =
            !bytes.isEmpty && bytes.count <= 4096 && components.count <= 64
            && components[0] != Array(".fxfer".utf8)[...]
            && components.allSatisfy { component in
                (1...255).contains(component.count) && ![[0x2E], [0x2E, 0x2E]].contains(Array(component))
                    && component.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            }
        guard let path = try? RelativePath(bytes: bytes) else { return try require(!isGood, "a good path is refused") }
        try require(isGood, "a bad path is taken")
        try require(path.bytes == bytes && path.components == components, "a path is changed")
        try require(path.components.last == path.lastComponent, "the last component is another")
        try requireHarmless(path.description, "the path")
        let parent = try? RelativePath(bytes: bytes.prefix(max(0, bytes.count - path.lastComponent.count - 1)))
        if let parent {
            try require(path.isBeneath(parent) && !parent.isBeneath(path), "a path is not beneath its folder")
            try require((try? parent.appending(path.lastComponent)) == path, "the parts do not make the path")
        }
        try require(!path.isBeneath(path), "a path is beneath itself")
    }

    /// Escaped text has no control character in it, and can be turned back.
    ///
    /// Input: the bytes.
    static let escapedText = FuzzTarget("escaped-text", seeds: Self.names) { bytes in
        let text = EscapedText.escape(bytes)
        try requireHarmless(text, "escaped text")
        try require(Self.unescape(text) == bytes, "escaped text is not turned back")
        let ascii = EscapedText.ascii(bytes)
        try require(ascii.utf8.allSatisfy { (0x20..<0x7F).contains($0) }, "ASCII has other bytes")
        try require(EscapedText.bytes(ofASCII: ascii) == bytes, "ASCII is not turned back")
        try requireHarmless(EscapedText.words(String(decoding: bytes, as: UTF8.self)), "a peer's words")
        let raw = String(decoding: bytes, as: UTF8.self)
        if let back = EscapedText.bytes(ofASCII: raw) {
            try require(EscapedText.ascii(back) == raw, "a text that nothing is written as is read")
        }
    }

    private static func unescape(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "\\"): bytes.append(byte)
            case UInt8(ascii: "x"):
                guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: return nil
            }
        }
        return bytes
    }
}
