import FxferProtocol
import Testing

@testable import FxferTrust

@Suite struct TokenTests {
    static let good = "kZ3v_0aQ9bXyT1mN5cJ7dL-eRfGhUiOpAsWqVzKxYtB"

    @Test("a random token has 256 bits in 43 characters that need no quoting, and differs from any other")
    func random() throws {
        let tokens = (0..<1000).map { _ in Token.random() }
        #expect(Set(tokens).count == tokens.count)
        for token in tokens {
            #expect(token.text.utf8.count == 43)
            #expect(token.text.wholeMatch(of: /[A-Za-z0-9_-]+/) != nil)
            #expect(Token(token.text.utf8) == token)
        }
        // Each of the 64 characters turns up: all of the generator's bits are used.
        #expect(Set(tokens.flatMap(\.text)).count == 64)
    }

    @Test("22 to 256 printable ASCII characters are taken")
    func limits() {
        #expect(Token(String(repeating: "x", count: 21).utf8) == nil)
        #expect(Token(String(repeating: "x", count: 22).utf8) != nil)
        #expect(Token(String(repeating: "x", count: 256).utf8) != nil)
        #expect(Token(String(repeating: "x", count: 257).utf8) == nil)
        let allowed = (0...UInt8.max).filter { Token([UInt8](repeating: $0, count: 30)) != nil }
        #expect(allowed == (0x21...0x7E).filter { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "#") })
    }

    @Test("nothing that is printed of it shows it")
    func secret() throws {
        let token = try #require(Token(Self.good.utf8))
        #expect("\(token)" == "<token>")
        let list = TokenList(entries: [.init(name: "alice", token: token)])
        for text in [shown(token), shown(list), shown(list.entries[0]), shown(Optional(token))] {
            #expect(!text.contains(Self.good))
            // Nor its bytes: the first two of them as numbers.
            #expect(!text.contains("107, 90") && !text.contains("- 107"))
        }
        #expect(token.text == Self.good)
    }

    @Test("the variable has a token or a line of a token file", arguments: ["", "alice:"], ["", ":upload"])
    func environment(name: String, rights: String) throws {
        guard !name.isEmpty || rights.isEmpty else { return }
        #expect(try Token(environment: name + Self.good + rights).text == Self.good)
    }

    @Test(
        "a variable that has none is a mistake, and is not quoted",
        arguments: [
            "", "short-secret", "alice:short-secret", "secret secret secret secret", "a:secret:b:c", good + "\n",
        ]
    )
    func environmentRefused(value: String) {
        let error = failure(secrets: ["secret", Self.good]) { () throws(FxferError) in
            _ = try Token(environment: value)
        }
        #expect(error?.code == .usage)
    }
}
