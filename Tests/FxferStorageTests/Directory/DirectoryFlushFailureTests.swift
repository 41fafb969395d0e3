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
}
