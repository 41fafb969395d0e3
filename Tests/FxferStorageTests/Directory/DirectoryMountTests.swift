import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A receiving directory and its file system", .enabled(if: Mount.isPossible, "needs mount(2)"))
struct DirectoryMountTests {
    @Test("a disk that fills up is named, gives its space back, and keeps what others have")
    func full() async throws {
        let folder = try TemporaryFolder()
        let mount = try Mount(.tmpfs(kilobytes: 1024, readOnly: false), at: folder.path)
        let subject = try await DirectoryUnderTest(in: folder)
        #expect(try await subject.upload(testBytes(300_000), to: path("kept")) == .stored)
        let other = try await subject.fresh(path("other"))
        try await other.append(ByteBuffer(bytes: testBytes(100_000)))

        let known = await failureCode { _ = try await subject.fresh(path("a"), FileAttributes(size: 1_000_000)) }
        #expect(known == .noSpace)
        let unknown = try await subject.fresh(path("a"))
        try await unknown.append(ByteBuffer(bytes: testBytes(500_000)))
        let code = await failureCode { try await unknown.append(ByteBuffer(bytes: testBytes(500_000))) }
        #expect(code == .noSpace)
        #expect(try subject.stagedCount() == 1)
        #expect(await failureCode { _ = try await unknown.publish() } == .noSpace)

        try await other.append(ByteBuffer(bytes: testBytes(500_000)))
        #expect(try await other.publish().outcome == .stored)
        #expect(try subject.content(at: path("kept")) == testBytes(300_000))
        #expect(try subject.content(at: path("other")) == testBytes(100_000) + testBytes(500_000))
        #expect(try subject.published() == [Array("kept".utf8), Array("other".utf8)])
        mount.end()
    }

    @Test("a disk with room for the rest of a file, not for all of it, lets a later try go on")
    func roomForRest() async throws {
        let folder = try TemporaryFolder()
        let mount = try Mount(.tmpfs(kilobytes: 1600, readOnly: false), at: folder.path)
        let subject = try await DirectoryUnderTest(in: folder)
        try await subject.leave(upTo: 8 * PartialSample.chunk)
        let other = await failureCode { _ = try await subject.begin(path("other")) }
        #expect(other == .noSpace)
        try await subject.expectResumption(at: 8 * PartialSample.chunk)
        mount.end()
    }

    @Test("a folder that is another file system is refused when the file is offered")
    func otherFileSystem() async throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("a")
        let subject = try await DirectoryUnderTest(in: folder)
        let late = try await subject.fresh(path("a/late"))
        let mount = try Mount(.tmpfs(kilobytes: 1024, readOnly: false), at: folder("a"))
        #expect(await failureCode { _ = try await subject.fresh(path("a/b")) } == .cannotCreate)
        #expect(await failureCode { _ = try await late.publish() } == .cannotCreate)
        #expect(try folder.names(in: "a") == [])
        #expect(try subject.stagedCount() == 0)
        mount.end()
    }
}
