import FxferProtocol
import Testing

@Suite("Listings that a client asks for")
struct ListingCheckTests {
    private static func entry(_ name: some Sequence<UInt8>, listing: UInt32 = 7) -> Entry {
        let modified = FileTime(seconds: 0, nanoseconds: 0)
        return Entry(listing: listing, kind: .file, permissions: 0o644, size: 1, modified: modified, name: Array(name))
    }

    @Test(
        "a name that could be stored is taken",
        arguments: [
            Array("a".utf8), Array(".hidden".utf8), Array("...".utf8), Array("-rf".utf8), Array(".fxfer".utf8),
            Array("a b\\c".utf8), [0xFF, 0xC3], Array(repeating: 0x61, count: 255), Array("a\u{301}".utf8),
        ]
    )
    func good(name: [UInt8]) throws {
        var check = ListingCheck(7)
        try check.receive(Self.entry(name))
        try check.receive(Listed(listing: 7))
    }

    @Test(
        "a name that is none breaks the protocol",
        arguments: [
            [], Array(".".utf8), Array("..".utf8), Array("/".utf8), Array("a/b".utf8), Array("/etc/passwd".utf8),
            Array("../x".utf8), Array("a/".utf8), Array("/\u{301}".utf8), [0], Array("a\nb".utf8), [0x61, 0x1B], [0x7F],
            Array(repeating: 0x61, count: 256), Array(repeating: 0x61, count: 65_000),
        ]
    )
    func bad(name: [UInt8]) {
        var check = ListingCheck(7)
        let error = #expect(throws: FxferError.self) { try check.receive(Self.entry(name)) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("another listing breaks the protocol", arguments: [0, 6, 8, .max] as [UInt32])
    func otherListing(listing: UInt32) {
        var check = ListingCheck(7)
        let entryError = #expect(throws: FxferError.self) { try check.receive(Self.entry([0x61], listing: listing)) }
        #expect(entryError?.code == .protocolViolation)
        let endError = #expect(throws: FxferError.self) { try check.receive(Listed(listing: listing)) }
        #expect(endError?.code == .protocolViolation)
    }
}
