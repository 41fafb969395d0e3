import FxferProtocol
import Glibc
import Testing

@testable import FxferStorage

@Suite("A folder that is sent")
struct DirectorySentFolderTests {
    static let modified = FileTime(seconds: 1_000_000_000, nanoseconds: 7)
    static let attributes = FileAttributes(modified: modified, permissions: 0o750, isFolder: true)

    @Test("is made with its attributes, as are those above it; a second time it is identical")
    func made() async throws {
        let subject = try await DirectoryUnderTest()
        #expect(try await subject.sendFolder(path("a/b"), Self.attributes) == Publication(.stored, at: path("a/b")))
        let status = try subject.folder.status(of: "a/b")
        #expect(status?.kind == .folder)
        #expect(status?.permissions == 0o750)
        #expect(status?.stamp.modified == Self.modified)
        #expect(try await subject.sendFolder(path("a/b"), Self.attributes).outcome == .identical)
        #expect(try subject.folder.status(of: "a/b") == status)
        #expect(try subject.stagedCount() == 0)
    }

    @Test("that is there gets the attributes, and keeps its content and its set-id bits")
    func changed() async throws {
        let subject = try await DirectoryUnderTest()
        try subject.folder.makeFolder("a")
        try subject.put([1], at: path("a/b"))
        try subject.folder.setMode("a", 0o2777)
        #expect(try await subject.sendFolder(path("a"), Self.attributes).outcome == .stored)
        let status = try subject.folder.status(of: "a")
        #expect(status?.permissions == 0o750)
        #expect(status?.specialBits == 0o2000)
        #expect(status?.stamp.modified == Self.modified)
        #expect(try subject.content(at: path("a/b")) == [1])
    }

    @Test("is refused where something else has its name", arguments: ["file", "link", "dangling", "pipe"])
    func taken(name: String) async throws {
        let subject = try await DirectoryUnderTest()
        let outside = try TemporaryFolder()
        try subject.put([1], at: path("file"))
        try subject.folder.link("link", to: outside.path)
        try subject.folder.link("dangling", to: outside("none"))
        try subject.folder.makePipe("pipe")
        let before = try subject.published()
        let status = try outside.status(of: ".")
        let code = await failureCode { _ = try await subject.sendFolder(path(name), Self.attributes) }
        #expect(code == .exists)
        let told = await failureCode { _ = try await subject.store.stage(path(name), Self.attributes, .byDigest) }
        #expect(told == .exists)
        #expect(try subject.published() == before)
        #expect(try outside.status(of: ".") == status)
    }

    @Test("can be asked for by `stage`, too, and given up without a trace")
    func staged() async throws {
        let subject = try await DirectoryUnderTest()
        let staging = try await subject.store.stage(path("a"), Self.attributes, .bySizeAndTime)
        guard case .fresh(let folder) = staging else { throw CannotStage() }
        await folder.discard(keepingPartial: true)
        #expect(await failureCode { _ = try await folder.publish() } == .internal)
        #expect(try subject.folder.names() == [".fxfer"])
        #expect(try subject.stagedCount() == 0)
    }

    @Test("is published after a file beneath it in one group, and keeps its time")
    func group() async throws {
        let subject = try await DirectoryUnderTest()
        let folder = try #require(subject.store.stageInMemory(path("a"), Self.attributes))
        let results = try subject.commit([try await subject.staged([1], path("a/b")), folder])
        #expect(results.map(\.outcome) == [.stored, .stored])
        #expect(try subject.folder.status(of: "a")?.stamp.modified == Self.modified)
    }
}
