import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("Publishing in a directory")
struct DirectoryPublishingTests {
    /// What a publisher does who has given its file the name and waits for the folder's fsync.
    enum Outcome: CaseIterable {
        case done, withdrawn
    }

    @Test("waits for a publisher of the same name, and takes it where that one gives up", arguments: Outcome.allCases)
    func waits(outcome: Outcome) async throws {
        let subject = try await DirectoryUnderTest()
        try subject.put(testBytes(100), at: path("a"))
        let other = try subject.folder.open().openBeneath(CPath("a"), O_RDONLY)
        #expect(try other.tryLock(.exclusive))
        // A thread of its own answers as soon as the file is opened: the patience of whoever waits for the lock is
        // short, and the threads that tests share may be busy for longer.
        let watch = try FileWatch(subject.folder("a"))
        let watcher = DiskPool(threads: 1)
        watcher.submit {
            watch.waitUntilOpened()
            if outcome == .withdrawn { try? subject.folder.remove("a") }
            other.unlock()
        }
        let publication = try await subject.upload(testBytes(100), to: path("a"))
        #expect(publication == (outcome == .done ? .identical : .stored))
        #expect(try subject.content(at: path("a")) == testBytes(100))
        #expect(try subject.stagedCount() == 0)
    }

    @Test("a name whose file another program keeps locked is busy, and stays as it is")
    func locked() async throws {
        let subject = try await DirectoryUnderTest()
        try subject.put(testBytes(100), at: path("a"))
        let other = try subject.folder.open().openBeneath(CPath("a"), O_RDONLY)
        #expect(try other.tryLock(.exclusive))
        #expect(await failureCode { _ = try await subject.upload(testBytes(100), to: path("a")) } == .busy)
        other.unlock()
        #expect(try subject.content(at: path("a")) == testBytes(100))
        #expect(try subject.stagedCount() == 0)
        #expect(try await subject.upload(testBytes(100), to: path("a")) == .identical)
    }

    @Test("a name that was moved away from its folder is not removed when publishing is taken back")
    func withdrawal() async throws {
        let subject = try await DirectoryUnderTest()
        let partials = PartialsFolder(try subject.folder.open().openFolderBeneath(CPath(".fxfer")))
        let folder = try subject.folder.open()
        for isReplaced in [false, true] {
            var file = try PartialFile.create(in: partials)
            try file.move(to: folder, as: CPath("a"))
            if isReplaced {
                try subject.folder.remove("a")
                try subject.folder.write([1], to: "a")
            }
            folder.withdraw(CPath("a"), of: try file.status().identity)
            #expect(try subject.published() == (isReplaced ? [Array("a".utf8)] : []))
        }
        #expect(try subject.folder.names(in: ".fxfer") == ["ledger.head", "ledger.jsonl", "partials", "states"])
    }

    @Test("a file system without RENAME_NOREPLACE is served by link and unlink, which replace nothing")
    func linkThenRemove() throws {
        let temporary = try TemporaryFolder()
        let folder = try temporary.open()
        try temporary.write([1], to: "a")
        try temporary.write([2], to: "b")
        try folder.linkThenRemove(CPath("a"), to: folder, as: CPath("c"))
        #expect(throws: Errno(EEXIST)) { try folder.linkThenRemove(CPath("b"), to: folder, as: CPath("c")) }
        #expect(try temporary.names() == ["b", "c"])
        #expect(try temporary.bytes(of: "b") == [2])
        #expect(try temporary.bytes(of: "c") == [1])
    }

    @Test(
        "a file is compared before data is sent where the sender asks for it",
        arguments: [Comparison.byDigest, .afterwards]
    )
    func comparing(comparison: Comparison) async throws {
        let subject = try await DirectoryUnderTest()
        try subject.put(testBytes(100), at: path("a"))
        switch try await subject.store.stage(path("a"), FileAttributes(size: 100), comparison) {
        case .existing(let existing, _, _):
            #expect(comparison == .byDigest)
            #expect(existing.digest == sha256(testBytes(100)))
        case .fresh:
            #expect(comparison == .afterwards)
        case .partial, .unchanged:
            throw UnexpectedStaging()
        }
    }
}
