import FxferProtocol
import Testing

@Suite("Paths")
struct RelativePathTests {
    static let refused: [(path: [UInt8], rule: PathRule)] = [
        (Array("".utf8), .empty),
        (Array(".".utf8), .dots),
        (Array("..".utf8), .dots),
        (Array("../x".utf8), .dots),
        (Array("a/../../x".utf8), .dots),
        (Array("a/./b".utf8), .dots),
        (Array("a/..".utf8), .dots),
        (Array("/etc/x".utf8), .emptyComponent),
        (Array("/".utf8), .emptyComponent),
        (Array("a//b".utf8), .emptyComponent),
        (Array("a/".utf8), .emptyComponent),
        (Array("a\0b".utf8), .controlByte),
        (Array("a\nb".utf8), .controlByte),
        (Array("a\rb".utf8), .controlByte),
        (Array("a\r\nb".utf8), .controlByte),
        (Array("a\u{7F}b".utf8), .controlByte),
        (Array("a/b\u{1B}[2J".utf8), .controlByte),
        (Array(".fxfer".utf8), .reserved),
        (Array(".fxfer/x".utf8), .reserved),
        // A combining acute accent (CC 81) makes one Character of itself and the byte before it.
        (Array("../".utf8) + [0xCC, 0x81, 0x78], .dots),
        (Array("a/".utf8) + [0xCC, 0x81] + Array("/..".utf8), .dots),
        (Array("/".utf8) + [0xCC, 0x81], .emptyComponent),
        (Array("a/\r\n".utf8) + [0xCC, 0x81], .controlByte),
        (Array(repeating: 0x61, count: 256), .componentTooLong),
        (Array("a/".utf8) + Array(repeating: 0x61, count: 256), .componentTooLong),
        (Self.path(ofBytes: 4097), .tooLong),
        (Self.path(ofComponents: 65), .tooDeep),
        (Array(repeating: 0x2F, count: 1000), .tooDeep),
    ]

    static let accepted: [[UInt8]] = [
        Array("a".utf8),
        Array("a/b/c.txt".utf8),
        Array("...".utf8),
        Array("..a/b..".utf8),
        Array(".bashrc".utf8),
        Array("-rf".utf8),
        Array(" ".utf8),
        Array("%2e%2e%2fx".utf8),
        Array(#"..\x"#.utf8),
        Array(".fxferx".utf8),
        Array("a/.fxfer".utf8),
        Array(".FXFER".utf8),
        [0xFF, 0xFE, 0x2F, 0x80],
        [0xC0, 0xAE, 0xC0, 0xAE],
        [0x2E, 0xCC, 0x81],
        [0x2E, 0x2E, 0xCC, 0x81, 0x2F, 0x78],
        Array("a/".utf8) + [0xCC, 0x81, 0x78],
        Array(repeating: 0x61, count: 255),
        Self.path(ofBytes: 4096),
        Self.path(ofComponents: 64),
    ]

    @Test("a path that breaks a rule is refused by that rule", arguments: Self.refused)
    func refusal(path: [UInt8], rule: PathRule) {
        #expect(throws: rule) { try RelativePath(bytes: path) }
    }

    @Test("every rule refuses some path", arguments: PathRule.allCases)
    func completeness(rule: PathRule) {
        #expect(Self.refused.contains { $0.rule == rule })
        #expect(!rule.explanation.isEmpty)
    }

    @Test("any other path is kept byte for byte", arguments: Self.accepted)
    func acceptance(bytes: [UInt8]) throws {
        let path = try RelativePath(bytes: bytes)
        #expect(path.bytes == bytes)
        #expect(Array(path.components.joined(separator: [0x2F])) == bytes)
        #expect(path.lastComponent == path.components.last)
    }

    @Test("every byte below 0x20 and 0x7F is refused, every other is not", arguments: UInt8.min...UInt8.max)
    func bytes(byte: UInt8) throws {
        let bytes = [0x61, byte, 0x62]
        if byte < 0x20 || byte == 0x7F {
            #expect(throws: PathRule.controlByte) { try RelativePath(bytes: bytes) }
        } else {
            #expect(try RelativePath(bytes: bytes).bytes == bytes)
        }
    }

    @Test("names that only look equal are different paths")
    func normalisation() throws {
        let composed = try RelativePath(bytes: [0xC3, 0xA9])
        let decomposed = try RelativePath(bytes: [0x65, 0xCC, 0x81])
        #expect(String(decoding: composed.bytes, as: UTF8.self) == String(decoding: decomposed.bytes, as: UTF8.self))
        #expect(composed != decomposed)
        #expect(try RelativePath(bytes: Array("A".utf8)) != RelativePath(bytes: Array("a".utf8)))
    }

    @Test("a combining character hides no slash: the path has two components")
    func hiddenSlash() throws {
        let path = try RelativePath(bytes: [0x61, 0x2F, 0xCC, 0x81, 0x62])
        #expect(path.components.map(Array.init) == [[0x61], [0xCC, 0x81, 0x62]])
        #expect(Array(path.lastComponent) == [0xCC, 0x81, 0x62])
    }

    @Test("a component is appended under the same rules")
    func appending() throws {
        let folder = try RelativePath(bytes: Array("a".utf8))
        #expect(try folder.appending(Array("b".utf8)).bytes == Array("a/b".utf8))
        #expect(throws: PathRule.dots) { try folder.appending(Array("..".utf8)) }
        #expect(throws: PathRule.dots) { try folder.appending(Array("x/../..".utf8)) }
        #expect(throws: PathRule.emptyComponent) { try folder.appending([]) }
    }

    @Test("a path is described in escaped form")
    func description() throws {
        #expect(try RelativePath(bytes: [0x61, 0x2F, 0xFF]).description == #"a/\xff"#)
    }

    /// Components of 254 bytes and a shorter one.
    static func path(ofBytes count: Int) -> [UInt8] {
        (0..<count).map { $0 % 255 == 254 ? 0x2F : 0x61 }
    }

    static func path(ofComponents count: Int) -> [UInt8] {
        Array(Array(repeating: [0x61], count: count).joined(separator: [0x2F]))
    }

    @Test(
        "a path is beneath the folders that lead to it, and no other",
        arguments: [
            ("a/b", "a", true), ("a/b/c", "a", true), ("a/b/c", "a/b", true), ("a", "a", false), ("a", "a/b", false),
            ("ab", "a", false), ("ab/c", "a", false), ("a/b", "b", false), ("a/bc", "a/b", false), ("b/a", "a", false),
            ("a/\u{301}b", "a", true), ("e\u{301}/x", "\u{E9}", false),
        ]
    )
    func beneath(path: String, folder: String, expected: Bool) throws {
        let path = try RelativePath(bytes: Array(path.utf8))
        #expect(try path.isBeneath(RelativePath(bytes: Array(folder.utf8))) == expected)
    }
}
