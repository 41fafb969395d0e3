import Testing

@testable import FxferS3

@Suite("The order of keys in a list")
struct KeyOrderTests {
    private static func advances(_ pages: [[String]]) -> Bool {
        var order = KeyOrder()
        return pages.allSatisfy { page in order.advance(over: page.map { Array($0.utf8) }) }
    }

    @Test("is that of their bytes, over all pages")
    func ascending() {
        #expect(Self.advances([[], ["a", "a/", "a/b", "b"], [], ["c", "é", "\u{10FFFF}"]]))
    }

    @Test(
        "is broken by a key that comes twice, or too late",
        arguments: [["b", "a"], ["a", "a"], ["a", ""], ["é", "z"]]
    )
    func broken(keys: [String]) {
        #expect(!Self.advances([keys]))
        #expect(!Self.advances(keys.map { [$0] }))
    }
}
