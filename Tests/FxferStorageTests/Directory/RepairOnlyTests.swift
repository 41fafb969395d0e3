import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A directory that takes what was stored in it, and nothing else")
struct RepairOnlyTests {
    typealias Sample = DecaySample

    private static func entry(_ subject: DirectoryUnderTest, _ name: String = "a") throws -> Digest? {
        try subject.store.committer.records?.ledger.latest(for: path(name))?.hash
    }

    @Test("the same damage on the other side makes nothing right")
    func sameDamage() async throws {
        let subject = try await DirectoryRepairTests.subject(at: [0])
        let stored = try Self.entry(subject)
        let offered = try await RepairStore(subject.store).offered("a", Sample.attributes)
        #expect(await failureCode { _ = try await offered.existing.confirmDurable() } == .exists)
        #expect(try Self.entry(subject) == stored)
        // Nor does who sends it.
        let existing = try await subject.store.offered("a", Sample.attributes).existing
        #expect(await failureCode { _ = try await existing.confirmDurable() } == .exists)
        #expect(try Self.entry(subject) == stored)
    }

    @Test("nor does a file that somebody has put there, or of which nobody knows")
    func otherFile() async throws {
        let subject = try await DirectoryRepairTests.subject(at: [0])
        let bytes = testBytes(Sample.size, seed: 2)
        try subject.put(bytes, at: path("b"))
        try subject.folder.write(bytes, to: "a")
        let stored = try Self.entry(subject)
        for name in ["a", "b"] {
            let offered = try await RepairStore(subject.store).offered(name, Sample.attributes)
            #expect(offered.decayed == nil)
            #expect(await failureCode { _ = try await offered.existing.confirmDurable() } == .exists)
            #expect(try subject.content(at: path(name)) == bytes)
        }
        #expect(try Self.entry(subject) == stored)
        #expect(try Self.entry(subject, "b") == nil)
    }

    @Test("content that comes without being compared is no other than what was stored", arguments: [0, 5])
    func damagedContent(place: Int) async throws {
        let subject = try await DirectoryRepairTests.subject(at: [0])
        let stored = try Self.entry(subject)
        let store = RepairStore(subject.store)
        guard case .fresh(let file) = try await store.stage(path("a"), Sample.attributes, .afterwards) else {
            throw UnexpectedStaging()
        }
        try await file.append(ByteBuffer(bytes: Sample.damaged(at: [place])))
        #expect(await failureCode { _ = try await file.publish() } == .exists)
        #expect(try subject.content(at: path("a")) == Sample.damaged(at: [0]))
        #expect(try Self.entry(subject) == stored)
        #expect(try subject.stagedCount() == 0)
    }

    @Test("a file that is gone meanwhile does not come back", arguments: [ConflictPolicy.refuse, .replace, .keepBoth])
    func gone(conflict: ConflictPolicy) async throws {
        let subject = try await DirectoryRepairTests.subject(conflict, at: [0])
        let store = RepairStore(subject.store)
        #expect(try await store.offered("a", Sample.attributes).otherwise == nil)
        let file = try await store.beginRepair()
        try await file.repair([0..<1])
        try subject.remove(path("a"))
        #expect(await failureCode { _ = try await file.publish() } == .noInput)
        #expect(try subject.published() == [])
        #expect(try subject.stagedCount() == 0)
    }

    @Test("whether somebody has written to a file shows, also where the name is another")
    func changed() async throws {
        let subject = try await DirectoryRepairTests.subject(at: [])
        func find() throws -> PublishedFile {
            try #require(try PublishedFile.find(path("a"), in: subject.store.tree))
        }
        let moved = try find()
        #expect(moved.isUnchanged())
        try subject.folder.rename("a", to: "b")
        #expect(!moved.isUnchanged())
        #expect(moved.isUnchanged(exceptName: true))
        try subject.folder.rename("b", to: "a")
        let decayed = try find()
        try subject.decay(at: [3])
        #expect(!decayed.isUnchanged())
        let written = try find()
        try subject.folder.write(Sample.content, to: "a")
        #expect(!written.isUnchanged())
        #expect(!written.isUnchanged(exceptName: true))
    }

    @Test("a repair takes none of the room that a store may have, however often")
    func room() async throws {
        let limits = StorageLimits(maxTotalSize: 2 * UInt64(Sample.size) + 100)
        let subject = try await LimitedDirectory(limits, DirectoryRepairTests.subject(at: [0]))
        for _ in 0..<4 {
            let file = try await subject.store.beginRepair()
            try await file.repair([0..<1])
            #expect(try await file.publish().outcome == .repaired)
            try subject.directory.decay(at: [0])
        }
    }
}
