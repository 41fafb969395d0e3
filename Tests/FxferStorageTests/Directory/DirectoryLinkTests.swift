import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("Links planted in a receiving directory")
struct DirectoryLinkTests {
    let outside: TemporaryFolder
    let subject: DirectoryUnderTest

    init() async throws {
        self.outside = try TemporaryFolder()
        self.subject = try await DirectoryUnderTest()
        try self.outside.write(testBytes(100), to: "victim")
    }

    private func expectUntouched() throws {
        #expect(try self.outside.names() == ["victim"])
        #expect(try self.outside.bytes(of: "victim") == testBytes(100))
        #expect(try self.subject.stagedCount() == 0)
    }

    @Test("a link under the file's name is in the way, wherever it leads", arguments: ["victim", "new", "."])
    func fileLink(target: String) async throws {
        try self.subject.folder.link("a", to: self.outside(target))
        for size in [nil, 100, 1 << 21] as [UInt64?] {
            let code = await failureCode {
                _ = try await self.subject.stage(path("a"), FileAttributes(size: size))
            }
            #expect(code == .exists)
        }
        try self.expectUntouched()
    }

    @Test("a link among the folders is not passed, dangling or not", arguments: ["", "new"])
    func folderLink(target: String) async throws {
        try self.subject.folder.link("a", to: self.outside(target))
        for name in ["a/victim", "a/b", "a/b/c"] {
            #expect(await failureCode { _ = try await self.subject.fresh(path(name)) } == .cannotCreate)
        }
        try self.expectUntouched()
    }

    @Test("a link that appears after the file was staged is not passed either")
    func lateLinks() async throws {
        let folderTaken = try await self.subject.fresh(path("a/victim"))
        let nameTaken = try await self.subject.fresh(path("b"))
        for file in [folderTaken, nameTaken] { try await file.append(ByteBuffer(bytes: testBytes(100))) }
        try self.subject.folder.link("a", to: self.outside.path)
        try self.subject.folder.link("b", to: self.outside("victim"))
        #expect(await failureCode { _ = try await folderTaken.publish() } == .cannotCreate)
        #expect(await failureCode { _ = try await nameTaken.publish() } == .exists)
        try self.expectUntouched()
    }

    @Test("a folder that is flipped between directory and link all the time leads nowhere else")
    func flipped() async throws {
        let folder = self.subject.folder
        let target = self.outside.path
        let flipper = Task.detached {
            var turn = 0
            while !Task.isCancelled {
                try? folder.rename("a", to: "moved\(turn)")
                try? folder.link("a", to: target)
                await Task.yield()
                try? folder.remove("a")
                turn += 1
                await Task.yield()
            }
        }
        for index in 0..<300 {
            _ = await failureCode {
                let file = try await self.subject.fresh(path("a/file\(index)"))
                try await file.append(ByteBuffer(bytes: testBytes(10)))
                _ = try await file.publish()
            }
        }
        flipper.cancel()
        await flipper.value
        try self.expectUntouched()
    }

    @Test("a FIFO, a socket or a folder under the name is in the way, and nothing blocks")
    func otherKinds() async throws {
        try self.subject.folder.makePipe("pipe")
        try self.subject.folder.makeFolder("folder")
        for name in ["pipe", "folder"] {
            #expect(await failureCode { _ = try await self.subject.fresh(path(name)) } == .exists)
        }
        #expect(await failureCode { _ = try await self.subject.fresh(path("pipe/a")) } == .cannotCreate)
        try self.expectUntouched()
    }

    @Test(
        "the receiver's own folder is refused where it is a link or a file",
        arguments: [".fxfer", ".fxfer/partials", ".fxfer/states"]
    )
    func ownFolder(name: String) async throws {
        let folder = try TemporaryFolder()
        if name != ".fxfer" { try folder.makeFolder(".fxfer") }
        try folder.link(name, to: self.outside.path)
        #expect(await failureCode { _ = try await DirectoryUnderTest(in: folder) } == .cannotCreate)
        try folder.remove(name)
        try folder.write([], to: name)
        #expect(await failureCode { _ = try await DirectoryUnderTest(in: folder) } == .cannotCreate)
        try self.expectUntouched()
    }

    @Test("the directory itself may be reached by a link: it is the operator's own word")
    func rootLink() async throws {
        try self.outside.makeFolder("real")
        try self.outside.link("link", to: "real")
        let store = try await DirectoryStore.open(path: Array(self.outside("link").utf8))
        guard case .fresh(let file) = try await store.stage(path("a"), FileAttributes(), .afterwards) else {
            throw UnexpectedStaging()
        }
        #expect(try await file.publish().outcome == .stored)
        #expect(try self.outside.names(in: "real") == [".fxfer", "a"])
    }
}
