import FxferProtocol
import Testing

@testable import FxferStorage

@Suite("An exclude pattern")
struct ExcludePatternTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let pattern: String
        let matching: [String]
        let others: [String]

        init(_ pattern: String, _ matching: [String], not others: [String]) {
            self.pattern = pattern
            self.matching = matching
            self.others = others
        }

        var testDescription: String { self.pattern }
    }

    private static let cases = [
        Case("a", ["a", "x/a", "x/y/a"], not: ["A", "ab", "ba", "a/b", ""]),
        Case("*.o", ["a.o", "x/a.o", ".o", "a.b.o"], not: ["a.o.c", "a.o/b", "ao"]),
        Case("a*b*c", ["abc", "axbxc", "abcbc", "x/aXbYc"], not: ["ab", "acb", "abcd"]),
        Case("?", ["a", "x/b"], not: ["", "ab", "x/ab", "é"]),
        Case("/a", ["a"], not: ["x/a", "ab"]),
        Case("x/a", ["x/a"], not: ["y/x/a", "a", "x/a/b", "x"]),
        Case("x/*", ["x/a", "x/.b"], not: ["x", "x/a/b", "y/x/a"]),
        Case("x/**", ["x/a", "x/a/b"], not: ["x", "y/x/a", "xa"]),
        Case("**/a", ["a", "x/a", "x/y/a"], not: ["xa", "a/x", "x/ya"]),
        Case("x/**/a", ["x/a", "x/y/a", "x/y/z/a"], not: ["a", "xa", "x/ya", "y/x/a", "x/y"]),
        Case("x**a", ["xa", "x12a"], not: ["xab"]),
        Case("/x**a", ["xa", "x/y/a", "xy/za"], not: ["x/b", "y/xa"]),
        Case("/*/*b/**/c", ["a/b/c", "a/xb/y/z/c"], not: ["b/c", "a/bx/c", "a/x/b/c"]),
        Case("[a-c]x", ["ax", "cx", "y/bx"], not: ["dx", "x", "-x"]),
        Case("[!a-c]", ["d", "-"], not: ["a", "b", "dd"]),
        Case("[^ab]", ["c"], not: ["a", "b"]),
        Case("[]a]", ["]", "a"], not: ["b"]),
        Case("[!]]", ["a"], not: ["]"]),
        Case("[a-]", ["a", "-"], not: ["b"]),
        Case("[\\]]", ["]"], not: ["\\"]),
        Case("/a[!b]c", ["axc"], not: ["a/c", "abc"]),
        Case("\\*", ["*"], not: ["a", "\\*"]),
        Case("**", ["a", "x/a"], not: []),
        Case("a***b", ["ab", "axb"], not: ["a"]),
        Case("\u{fc}", ["\u{fc}"], not: ["u\u{308}"]),
    ]

    @Test("matches what it says and nothing else", arguments: Self.cases)
    func table(_ example: Case) throws {
        let pattern = try ExcludePattern(example.pattern.utf8)
        for path in example.matching {
            #expect(pattern.matches(Array(path.utf8), isFolder: false), "\(path)")
            #expect(pattern.matches(Array(path.utf8), isFolder: true), "\(path)")
        }
        for path in example.others {
            #expect(!pattern.matches(Array(path.utf8), isFolder: true), "\(path)")
        }
    }

    @Test("with a slash at its end matches folders only, at any depth unless there is another slash")
    func folders() throws {
        let pattern = try ExcludePattern("build/".utf8)
        #expect(pattern.matches(Array("x/build".utf8), isFolder: true))
        #expect(!pattern.matches(Array("x/build".utf8), isFolder: false))
        #expect(try !ExcludePattern("/build/".utf8).matches(Array("x/build".utf8), isFolder: true))
    }

    @Test(
        "that makes no sense is refused",
        arguments: ["", "/", "//", "[", "a[b", "[]", "[!]", "[z-a]", "a\\", "[a\\"]
    )
    func invalid(pattern: String) async {
        #expect(await failureCode { _ = try ExcludePattern(pattern.utf8) } == .usage)
    }

    @Test("of many stars takes no time to speak of on a long name that it does not match", .timeLimit(.minutes(1)))
    func manyStars() throws {
        let name = [UInt8](repeating: UInt8(ascii: "a"), count: 255)
        for stars in ["*a", "**a", "**/a"] {
            let pattern = try ExcludePattern((String(repeating: stars, count: 60) + "b").utf8)
            #expect(!pattern.matches(name, isFolder: false))
        }
    }
}
