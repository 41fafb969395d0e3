import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

@Suite("Every store, given unusual names,")
struct StoreNameTests {
    static let names: [[UInt8]] =
        [
            "-rf", ".bashrc", "a b", "%2e%2e%2fx", "a/.fxfer-b/c", "partials", "0123456789abcdef0123456789abcdef.part",
            "..a", "a\\b", "\u{202e}gpj.exe", "e\u{301}", "\u{e9}",
        ].map { Array($0.utf8) }
        + [
            [0xFF, 0xFE, 0x80],
            [0x9B, 0x41],
            [0xC3, 0x28],
            Array(repeating: 0x61, count: 255),
            Array(repeating: 0xFF, count: 255),
            Self.longest,
            Self.deepest,
        ]

    /// 4,096 bytes, the most that a path may have.
    static let longest: [UInt8] = Array(
        (Array(repeating: Array(repeating: UInt8(ascii: "l"), count: 255), count: 15)
            + [Array(repeating: UInt8(ascii: "m"), count: 254), [UInt8(ascii: "n")]])
            .joined(separator: [UInt8(ascii: "/")])
    )

    /// 64 components, the most that a path may have.
    static let deepest: [UInt8] = Array(
        Array(repeating: [UInt8(ascii: "d")], count: 64).joined(separator: [UInt8(ascii: "/")])
    )

    @Test("stores them byte for byte", arguments: StoreFactory.all, names)
    func stored(factory: StoreFactory, name: [UInt8]) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let path = try RelativePath(bytes: name)
            #expect(try await subject.upload(testBytes(10), to: path) == .stored)
            #expect(try await subject.published() == [name])
            #expect(try await subject.content(at: path) == testBytes(10))
            #expect(try await subject.upload(testBytes(10), to: path) == .identical)
        }
        try await check(factory.make())
    }

    @Test(
        "takes a folder '.fxfer' below the top for one like any in a directory, and for a server's own in a bucket",
        arguments: StoreFactory.all
    )
    func ownFolder(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let path = try RelativePath(bytes: Array("a/.fxfer/b".utf8))
            if subject is BucketUnderTest {
                #expect(await failureCode { _ = try await subject.upload(testBytes(10), to: path) } == .nameRefused)
                #expect(try await subject.published() == [])
            } else {
                #expect(try await subject.upload(testBytes(10), to: path) == .stored)
                #expect(try await subject.content(at: path) == testBytes(10))
            }
        }
        try await check(factory.make())
    }

    @Test("keeps apart what only looks the same", arguments: StoreFactory.all)
    func apart(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let names = ["e\u{301}", "\u{e9}", "A", "a"].map { Array($0.utf8) }
            for (index, name) in names.enumerated() {
                let bytes = testBytes(10, seed: UInt64(index))
                #expect(try await subject.upload(bytes, to: RelativePath(bytes: name)) == .stored)
            }
            #expect(try await subject.published().count == 4)
        }
        try await check(factory.make())
    }
}
