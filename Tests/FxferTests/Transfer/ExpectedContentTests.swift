import FxferProtocol
import Testing

@testable import Fxfer

@Suite("Content that is known beforehand")
struct ExpectedContentTests {
    private static let content = FilePrefix(length: 3, digest: other)
    private static let other = Digest(bytes: Array(repeating: 7, count: 32)) ?? .ofNothing

    @Test(
        "what is as expected passes, whatever is not stated",
        arguments: [
            ExpectedContent(), ExpectedContent(size: 3), ExpectedContent(digest: other),
            ExpectedContent(size: 3, digest: other),
        ]
    )
    func passes(expected: ExpectedContent) {
        #expect(throws: Never.self) { try expected.check(Self.content, "a") }
    }

    @Test(
        "anything else is damaged",
        arguments: [
            ExpectedContent(size: 2), ExpectedContent(size: .max), ExpectedContent(digest: .ofNothing),
            ExpectedContent(size: 3, digest: .ofNothing), ExpectedContent(size: 4, digest: other),
        ]
    )
    func fails(expected: ExpectedContent) {
        let error = #expect(throws: FxferError.self) { try expected.check(Self.content, "a") }
        #expect(error?.code == .damaged)
    }
}
