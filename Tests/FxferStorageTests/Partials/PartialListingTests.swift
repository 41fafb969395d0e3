import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

@Suite("The list of partials")
struct PartialListingTests {
    typealias Sample = PartialSample

    private func list(_ folder: TemporaryFolder) async throws -> [PartialSummary] {
        try await DirectoryStore.partials(in: Array(folder.path.utf8))
    }

    @Test("tells path, sizes and time of each, and which are in use, in the order of their paths' bytes")
    func all() async throws {
        let subject = try await DirectoryUnderTest()
        let file = try await subject.beginFresh(path("b"))
        try await subject.send(upTo: 5 * Sample.chunk, to: file)
        let paths = try [path("c/d"), RelativePath(bytes: [0xFF]), path("B"), path("\u{202e}")]
        for (index, path) in paths.enumerated() {
            try await subject.leave(upTo: (index + 1) * Sample.chunk, of: path)
        }
        let time = FileTime.now()
        let partials = try await self.list(subject.folder)
        let sorted = try [paths[2], path("b"), paths[0], paths[3], paths[1]]
        #expect(partials.map(\.path) == sorted)
        #expect(partials.map { Int($0.verified) / Sample.chunk } == [3, 4, 1, 4, 2])
        #expect(partials.map(\.isInUse) == [false, true, false, false, false])
        for partial in partials {
            #expect(partial.size == UInt64(Sample.size))
            #expect(abs(partial.lastWrite.seconds - time.seconds) < 60)
        }
        await file.discard(keepingPartial: false)
    }

    @Test("tells the size that was announced last")
    func newSize() async throws {
        let subject = try await DirectoryUnderTest()
        try await subject.leave(upTo: 3 * Sample.chunk)
        let staging = try await subject.store.stage(Sample.path, FileAttributes(size: 5_000_000), .byDigest)
        guard case .partial(let file) = staging else { throw UnexpectedStaging() }
        await file.discard(keepingPartial: true)
        #expect(try await self.list(subject.folder).map(\.size) == [5_000_000])
        try await subject.expectResumption(at: 3 * Sample.chunk)
    }

    @Test("changes nothing, whatever lies there")
    func readOnly() async throws {
        let subject = try await DirectoryUnderTest()
        try await subject.leave(upTo: 3 * Sample.chunk)
        try subject.folder.remove(Sample.journal)
        try subject.folder.write([1], to: ".fxfer/partials/notes")
        try subject.folder.makePipe(Sample.journal)
        let before = try subject.partialFiles()
        #expect(try await self.list(subject.folder) == [])
        #expect(try subject.partialFiles() == before)
    }

    @Test("is empty for a directory that never received, and makes nothing there")
    func never() async throws {
        let folder = try TemporaryFolder()
        #expect(try await self.list(folder) == [])
        #expect(try folder.names() == [])
    }

    @Test(
        "is refused for what is no directory, or where the receiver's folder is a link",
        arguments: ["x", "file", "linked"]
    )
    func missing(name: String) async throws {
        let folder = try TemporaryFolder()
        try folder.write([], to: "file")
        try folder.makeFolder("linked")
        try folder.link("linked/.fxfer", to: "/tmp")
        let code = await failureCode { _ = try await DirectoryStore.partials(in: Array(folder(name).utf8)) }
        #expect(code == .noInput)
        #expect(try folder.names() == ["file", "linked"])
    }
}
