import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A small file in memory")
struct DirectoryMemoryTests {
    @Test("makes no file before it is published, then has exactly the attributes it was sent with")
    func attributes() async throws {
        let subject = try await DirectoryUnderTest()
        let modified = FileTime(seconds: 1_234_567_890, nanoseconds: 123_456_789)
        let attributes = FileAttributes(modified: modified, permissions: 0o6757)
        let file = try await subject.staged(testBytes(4096), path("a/b"), attributes)
        #expect(file.position == 4096)
        #expect(file.runningDigest() == sha256(testBytes(4096)))
        #expect(try subject.folder.names() == [".fxfer"])
        #expect(try subject.stagedCount() == 0)
        #expect(try await file.publish().unrecorded == Publication(.stored, at: path("a/b")))
        let status = try subject.folder.status(of: "a/b")
        #expect(status?.permissions == 0o757)
        #expect(status?.specialBits == 0)
        #expect(status?.stamp.modified == modified)
        #expect(status?.links == 1)
        #expect(try subject.content(at: path("a/b")) == testBytes(4096))
    }

    @Test("is not taken where its size is unknown or large")
    func sizes() async throws {
        let store = try await DirectoryUnderTest().store
        #expect(try store.stageInMemory(path("a"), FileAttributes()) == nil)
        #expect(try store.stageInMemory(path("a"), FileAttributes(size: 32 << 10)) != nil)
        #expect(try store.stageInMemory(path("a"), FileAttributes(size: 32 << 10 + 1)) == nil)
    }

    @Test("is taken as long as the budget lasts, which is given back by giving up and by publishing")
    func budget() async throws {
        var options = DirectoryStore.Options()
        options.memory = 10_000
        let subject = try await DirectoryUnderTest(options: options)
        let first = try await subject.staged(testBytes(5000), path("a"))
        let second = try await subject.staged(testBytes(5000), path("b"))
        #expect(try subject.store.stageInMemory(path("c"), FileAttributes(size: 0)) == nil)
        await first.discard(keepingPartial: false)
        let third = try await subject.staged(testBytes(5000), path("c"))
        #expect(try subject.store.stageInMemory(path("d"), FileAttributes(size: 0)) == nil)
        #expect(try await second.publish().outcome == .stored)
        #expect(try await third.publish().outcome == .stored)
        #expect(try subject.store.stageInMemory(path("d"), FileAttributes(size: 9000)) != nil)
        #expect(try subject.published() == [Array("b".utf8), Array("c".utf8)])
    }

    @Test("goes back to what was kept, or to its beginning")
    func rewind() async throws {
        let subject = try await DirectoryUnderTest()
        let store = subject.store
        let file = try #require(store.stageInMemory(path("a"), FileAttributes(size: 100)))
        #expect(file.appendInMemory(ByteBuffer(bytes: testBytes(60))))
        file.rewind()
        #expect(file.position == 0)
        #expect(file.runningDigest() == .ofNothing)
        #expect(file.appendInMemory(ByteBuffer(bytes: testBytes(40))))
        file.keep()
        #expect(file.appendInMemory(ByteBuffer(bytes: [1, 2, 3])))
        file.rewind()
        #expect(file.runningDigest() == sha256(testBytes(40)))
        file.restart()
        #expect(file.position == 0)
        try await file.append(ByteBuffer(bytes: testBytes(100)))
        #expect(try await file.publish().outcome == .stored)
        #expect(try subject.content(at: path("a")) == testBytes(100))
    }

    @Test("takes no more than was announced, and nothing after it was given up")
    func tooMuch() async throws {
        let subject = try await DirectoryUnderTest()
        let file = try #require(subject.store.stageInMemory(path("a"), FileAttributes(size: 10)))
        #expect(!file.appendInMemory(ByteBuffer(bytes: testBytes(11))))
        #expect(await failureCode { try await file.append(ByteBuffer(bytes: testBytes(11))) } == .tooLarge)
        await file.discard(keepingPartial: false)
        #expect(!file.appendInMemory(ByteBuffer(bytes: [1])))
        #expect(await failureCode { try await file.append(ByteBuffer(bytes: [1])) } == .internal)
        #expect(await failureCode { _ = try await file.publish() } == .internal)
        #expect(try subject.published() == [])
        #expect(try subject.stagedCount() == 0)
    }

    @Test("has no name in the directory until it is published, or one in the partials where that cannot be")
    func nameless() throws {
        let temporary = try TemporaryFolder()
        let partials = PartialsFolder(try temporary.open())
        for linking in [NamelessFile.Linking.byProc, .byDescriptor] {
            let file = try NamelessFile.create(in: partials, linking)
            #expect(try temporary.names() == [])
            guard linking == NamelessFile.linking(in: partials) || linking == .byProc else { continue }
            try file.link(to: temporary.open(), as: CPath("a"))
            #expect(throws: Errno(EEXIST)) { try file.link(to: temporary.open(), as: CPath("a")) }
            #expect(try temporary.open().openBeneath(CPath("a"), O_RDONLY).tryLock(.shared) == false)
            try temporary.open().withdraw(CPath("a"), of: file.status().identity)
            #expect(try temporary.names() == [])
        }
    }
}
