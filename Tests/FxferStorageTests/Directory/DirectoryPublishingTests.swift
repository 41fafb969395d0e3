import FxferProtocol
import Glibc
import NIOCore
import Synchronization
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
        let isOver = Atomic(false)
        async let publication = {
            defer { isOver.store(true, ordering: .relaxed) }
            return try await subject.upload(testBytes(100), to: path("a"))
        }()
        while try openDescriptors(below: subject.folder("a")) < 2, !isOver.load(ordering: .relaxed) {
            await Task.yield()
        }
        if outcome == .withdrawn { try subject.folder.remove("a") }
        other.unlock()
        #expect(try await publication == (outcome == .done ? .identical : .stored))
        #expect(try subject.content(at: path("a")) == testBytes(100))
        #expect(try subject.stagedCount() == 0)
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
            file.withdraw(from: folder, CPath("a"))
            #expect(try subject.published() == (isReplaced ? [Array("a".utf8)] : []))
        }
        #expect(try subject.folder.names(in: ".fxfer") == ["partials"])
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

    @Test("comparing before data is sent begins above the chosen size", arguments: [99, 100])
    func comparingAbove(size: UInt64) async throws {
        let subject = try await DirectoryUnderTest()
        try subject.put(testBytes(100), at: path("a"))
        switch try await subject.store.stage(path("a"), FileAttributes(size: 100), comparingAbove: size) {
        case .existing(let existing):
            #expect(size == 99)
            #expect(existing.digest == sha256(testBytes(100)))
        case .fresh:
            #expect(size == 100)
        }
    }
}
