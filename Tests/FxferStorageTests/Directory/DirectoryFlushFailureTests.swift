import CLinux
import FxferProtocol
import Glibc
import Synchronization
import Testing

@testable import FxferStorage

@Suite("Where the fsync of a folder fails")
struct DirectoryFlushFailureTests {
    /// Makes every fsync of the folder fail (EBADF), and nothing else: its descriptor becomes one of O_PATH.
    static func breakFlush(of folder: GroupFolders.Node) throws {
        let place = try OwnedDescriptor.open(.itself, clinux_o_path | O_DIRECTORY, in: folder.descriptor)
        try once { dup2(place.number, folder.descriptor.number) }
    }

    @Test("the files in it and below are withdrawn, others are published", arguments: ["a/", "a/b/", ""])
    func group(broken: String) async throws {
        let subject = try await DirectoryUnderTest()
        let committer = try subject.committer()
        let folders = GroupFolders(committer.tree)
        let names = ["a/file", "a/b/file", "c/file"]
        let codes = Mutex([String: FxferError.Code]())
        var members: [CommitMember] = []
        for name in names {
            let file = try await subject.staged(testBytes(10), path(name))
            let item = CommitQueue.Item(file: file, size: 10, origin: Origin()) { result in
                codes.withLock { $0[name] = result.failureCode }
            }
            members.append(CommitMember(item, committer))
        }
        for member in members { member.prepare(folders) }
        for member in members { member.enterFolder(folders) }
        for member in members { member.takeName() }
        #expect(try subject.published().count == 3)
        try Self.breakFlush(of: folders.make(for: path(broken + "file")))
        folders.sync()
        for member in members { member.checkDurable() }
        for member in members where member.state == .durable { member.finish(nil) }

        let failed = names.filter { $0.hasPrefix(broken) }
        #expect(codes.withLock { $0 } == Dictionary(uniqueKeysWithValues: failed.map { ($0, .io) }))
        let stored = names.filter { !$0.hasPrefix(broken) }
        #expect(try subject.published() == stored.sorted().map { Array($0.utf8) })
        #expect(try subject.stagedCount() == 0)
    }

    @Test("a replaced file gets its name back", arguments: DirectoryUnderTest.Place.allCases)
    func replacement(place: DirectoryUnderTest.Place) async throws {
        let subject = try await DirectoryConflictTests.subject(.replace)
        try subject.folder.makeFolder("a")
        try subject.put([1], at: path("a/b"))
        let committer = try subject.committer()
        let folders = GroupFolders(committer.tree)
        try Self.breakFlush(of: folders.make(for: path("a/b")))
        let file = try await subject.staged(testBytes(10), path("a/b"), in: place)
        let code = await failureCode {
            _ = try Settlement(file.target, Origin(), committer, folders).settle(file.takeForPublishing())
        }
        #expect(code == .io)
        #expect(try subject.content(at: path("a/b")) == [1])
        #expect(try subject.published() == [Array("a/b".utf8)])
        #expect(try subject.stagedCount() == 0)
    }

    @Test("a folder that was made is taken away again")
    func folder() async throws {
        let subject = try await DirectoryUnderTest()
        let committer = try subject.committer()
        let folders = GroupFolders(committer.tree)
        let parent = try folders.make(for: path("a"))
        let staged = try #require(subject.store.stageInMemory(path("a"), DirectorySentFolderTests.attributes))
        let made = try FolderPublishing(staged.target, in: parent)
        try Self.breakFlush(of: parent)
        folders.sync()
        #expect(throws: Errno(EBADF)) { try parent.checkDurable() }
        made.withdraw(from: parent)
        #expect(try subject.folder.names() == [".fxfer"])
    }
}
