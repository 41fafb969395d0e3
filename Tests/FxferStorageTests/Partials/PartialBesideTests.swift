import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

@Suite("Staging beside the published files")
struct PartialBesideTests {
    typealias Sample = PartialSample

    static let options: DirectoryStore.Options = {
        var options = DirectoryStore.Options()
        options.layout = .beside
        return options
    }()

    @Test("makes no folder, and names all that is staged by its prefix")
    func names() async throws {
        let subject = try await DirectoryUnderTest(options: Self.options)
        #expect(try subject.folder.names() == [])
        let resumable = try await subject.beginFresh()
        let other = try await subject.fresh(path("other"))
        let names = try subject.folder.names()
        #expect(names.count == 3)
        #expect(names.allSatisfy { $0.hasPrefix(".fxfer-") })
        #expect(try await other.publish().outcome == .stored)
        await resumable.discard(keepingPartial: false)
        #expect(try subject.folder.names() == ["other"])
    }

    @Test("goes on from a partial, and leaves only the file")
    func resumption() async throws {
        let folder = try TemporaryFolder()
        try await DirectoryUnderTest(in: folder, options: Self.options).leave(upTo: 3 * Sample.chunk)
        let subject = try await DirectoryUnderTest(in: folder, options: Self.options)
        let file = try await subject.resume()
        #expect(file.position == UInt64(3 * Sample.chunk))
        try await subject.send(to: file)
        #expect(try await file.publish().outcome == .stored)
        #expect(try subject.published() == [Sample.path.bytes])
        #expect(try subject.content(at: Sample.path) == Sample.content)
    }

    @Test("removes at the start only what no later try can go on from, and nothing of the user's")
    func sweep() async throws {
        let folder = try TemporaryFolder()
        let digits = String(repeating: "0", count: 32)
        let kept = [
            ".fxfer-\(digits).part", ".fxfer-\(digits).journal", ".fxfer-\(digits).new", "\(digits).tmp",
            ".fxfer-x.tmp",
        ]
        for name in kept + [".fxfer-\(digits).tmp"] { try folder.write([1], to: name) }
        let subject = try await DirectoryUnderTest(in: folder, options: Self.options)
        #expect(subject.store.leftoversRemoved == 1)
        #expect(try folder.names() == kept.sorted())
    }

    @Test("refuses paths that could be those of staged files", arguments: [".fxfer-", ".fxfer-a/b"])
    func reserved(name: String) async throws {
        let subject = try await DirectoryUnderTest(options: Self.options)
        for comparison in [Comparison.afterwards, .byDigest] {
            let code = await failureCode {
                _ = try await subject.store.stage(path(name), Sample.attributes, comparison)
            }
            #expect(code == .nameRefused)
        }
        #expect(try subject.folder.names() == [])
        let other = try await DirectoryUnderTest()
        #expect(try await other.upload([1], to: path(name)) == .stored)
    }
}
