import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A stored file that is repaired")
struct DirectoryRepairTests {
    typealias Sample = DecaySample
    typealias Place = DirectoryUnderTest.Place

    static let conflicts: [ConflictPolicy] = [.refuse, .replace, .keepBoth]

    /// A store with the sample in it, of which these bytes have decayed.
    static func subject(_ conflict: ConflictPolicy = .refuse, at places: [Int]) async throws -> DirectoryUnderTest {
        let subject = try await DirectoryConflictTests.subject(conflict)
        try await subject.storeDecayed(at: places)
        return subject
    }

    /// The sample is there as it was stored, and nothing else.
    static func expectWhole(_ subject: DirectoryUnderTest) throws {
        #expect(try subject.content(at: path("a")) == Sample.content)
        let status = try #require(try subject.folder.status(of: "a"))
        #expect(status.permissions == 0o640)
        #expect(status.stamp.modified == Sample.attributes.modified)
        #expect(status.links == 1)
        #expect(try subject.published() == [Array("a".utf8)])
        #expect(try subject.stagedCount() == 0)
        let entry = try subject.store.committer.records?.ledger.latest(for: path("a"))?.entry
        #expect(entry?.digest == sha256(Sample.content))
        #expect(entry?.size == UInt64(Sample.size))
        #expect(entry?.modified == Sample.attributes.modified)
    }

    @Test("becomes what was stored, in a new file that takes the name in one step", arguments: conflicts)
    func repaired(conflict: ConflictPolicy) async throws {
        let places = [5, Sample.step * 2]
        let subject = try await Self.subject(conflict, at: places)
        let old = try subject.folder.open().openBeneath(CPath("a"), O_RDONLY)
        let stored = try subject.store.committer.records?.ledger.latest(for: path("a"))
        let file = try await subject.store.beginRepair()
        #expect(file.position == 0)
        #expect(!file.mayLeavePartial)
        try await file.repair([0..<10, Sample.step * 2..<Sample.step * 2 + 1])
        #expect(file.runningDigest() == sha256(Sample.content))
        #expect(try subject.content(at: path("a")) == Sample.damaged(at: places))

        let publication = try await file.publish(from: Origin(address: "192.0.2.7"))
        #expect(publication.unrecorded == Publication(.repaired, at: try path("a")))
        try Self.expectWhole(subject)
        let line = try #require(try subject.store.committer.records?.ledger.latest(for: path("a")))
        #expect(line.hash == publication.record?.entry)
        #expect(line.hash != stored?.hash)
        #expect(line.previous == stored?.hash)
        #expect(line.entry.origin.address == "192.0.2.7")
        #expect(try old.content() == Sample.damaged(at: places))
        #expect(try old.status().links == 0)
        let states = subject.store.committer.records?.states.load(
            for: sha256(Sample.content),
            size: UInt64(Sample.size)
        )
        #expect(states?.states.count == 3)
        #expect(try await subject.store.offered("a", Sample.attributes).decayed == nil)
    }

    @Test("is as durable as was asked", arguments: DirectoryLevelTests.possible)
    func levels(level: Durability) async throws {
        let subject = try await Self.subject(at: [0])
        let staging = try await subject.store.stage(path("a"), Sample.attributes, .byDigest, level)
        guard case .existing(_, _, .some(let decayed)) = staging else { throw UnexpectedStaging() }
        let file = try await decayed.stageRepair()
        try await file.repair([0..<1])
        let publication = try await file.publish()
        #expect(publication.outcome == .repaired)
        #expect(publication.level == level)
        #expect(publication.record?.durability == level)
        try Self.expectWhole(subject)
    }

    @Test("goes back to what was kept, and what was filled since is filled again")
    func rewinding() async throws {
        let subject = try await Self.subject(at: [5, 2000])
        let file = try await subject.store.beginRepair()
        try await file.append(ByteBuffer(bytes: Sample.content[..<10]))
        file.keep()
        // The gap is damaged, which nobody knew.
        try await file.fill(upTo: 5000)
        try await file.append(ByteBuffer(bytes: Sample.content[5000..<6000]))
        #expect(file.runningDigest() == sha256(Sample.damaged(at: [2000])[..<6000]))
        file.rewind()
        #expect(file.position == 10)
        try await file.append(ByteBuffer(bytes: Sample.content[10..<6000]))
        file.keep()
        try await file.fill(upTo: UInt64(Sample.size))
        file.rewind()
        #expect(file.position == 6000)
        try await file.fill(upTo: 6000)
        try await file.fill(upTo: 10)
        #expect(file.position == 6000)
        try await file.fill(upTo: UInt64(Sample.size))
        #expect(file.runningDigest() == sha256(Sample.content))
        #expect(try await file.publish().outcome == .repaired)
        try Self.expectWhole(subject)
    }

    @Test("is filled in several hops where it is large, and not at all in a cancelled task")
    func large() async throws {
        let subject = try await DirectoryUnderTest()
        let size = 33 << 20
        let content = [UInt8](repeating: 3, count: size)
        _ = try await subject.send(content, path("a"), in: .disk)
        try subject.decay(at: [size - 1])
        let offered = try await subject.store.offered("a", FileAttributes(size: UInt64(size)))
        let file = try #require(try await offered.decayed?.stageRepair())
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await file.fill(upTo: UInt64(size))
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(file.position == 0)
        try await file.repair([size - 1..<size], of: content)
        #expect(try await file.publish().outcome == .repaired)
        #expect(try subject.content(at: path("a")) == content)
    }

    @Test("is repaired by a sender that asks nothing, too", arguments: conflicts, Place.allCases)
    func unasked(conflict: ConflictPolicy, place: Place) async throws {
        let subject = try await DirectoryConflictTests.subject(conflict)
        _ = try await subject.send(testBytes(100), path("a"), in: place)
        let old = try subject.folder.open().openBeneath(CPath("a"), O_RDONLY)
        try subject.decay(at: [7, 99])
        let attributes = FileAttributes(modified: FileTime(seconds: 5, nanoseconds: 6), permissions: 0o600)
        let publication = try await subject.send(testBytes(100), path("a"), attributes, in: place)
        #expect(publication.unrecorded == Publication(.repaired, at: try path("a")))
        #expect(publication.record?.entry != nil)
        #expect(try subject.content(at: path("a")) == testBytes(100))
        #expect(try subject.folder.status(of: "a")?.stamp.modified == attributes.modified)
        #expect(try subject.folder.status(of: "a")?.permissions == 0o600)
        #expect(try old.content() == DecaySample.damaged(at: [7, 99], testBytes(100)))
        #expect(try old.status().links == 0)
        #expect(try subject.published() == [Array("a".utf8)])
        #expect(try subject.stagedCount() == 0)
        #expect(try await subject.send(testBytes(100), path("a"), in: place).outcome == .identical)
    }

    @Test("a copy beside another that has decayed is repaired where it is", arguments: Place.allCases)
    func besides(place: Place) async throws {
        let subject = try await DirectoryConflictTests.subject(.keepBoth)
        for seed in 0..<3 as Range<UInt64> {
            _ = try await subject.send(testBytes(50, seed: seed), path("a"), in: place)
        }
        try subject.decay("a.1", at: [3])
        let publication = try await subject.send(testBytes(50, seed: 1), path("a"), in: place)
        #expect(publication.unrecorded == Publication(.repaired, at: try path("a.1")))
        #expect(try subject.published() == ["a", "a.1", "a.2"].map { Array($0.utf8) })
        #expect(try subject.content(at: path("a.1")) == testBytes(50, seed: 1))
    }

    @Test("other content is no repair: what is there stays, or goes, as for any file", arguments: Place.allCases)
    func otherContent(place: Place) async throws {
        for conflict in Self.conflicts {
            let subject = try await DirectoryConflictTests.subject(conflict)
            _ = try await subject.send(testBytes(100), path("a"), in: place)
            try subject.decay(at: [7])
            let damaged = DecaySample.damaged(at: [7], testBytes(100))
            switch conflict {
            case .refuse:
                let code = await failureCode {
                    _ = try await subject.send(testBytes(100, seed: 2), path("a"), in: place)
                }
                #expect(code == .exists)
                #expect(try subject.content(at: path("a")) == damaged)
            case .replace:
                #expect(try await subject.send(testBytes(100, seed: 2), path("a"), in: place).outcome == .replaced)
                #expect(try subject.content(at: path("a")) == testBytes(100, seed: 2))
            case .keepBoth:
                let publication = try await subject.send(testBytes(100, seed: 2), path("a"), in: place)
                #expect(publication.unrecorded == Publication(.stored, at: try path("a.1")))
                #expect(try subject.content(at: path("a")) == damaged)
            }
            #expect(try subject.stagedCount() == 0)
        }
    }

    @Test("what it was once, and is not any more by its ledger, is no repair", arguments: Place.allCases)
    func older(place: Place) async throws {
        let subject = try await DirectoryConflictTests.subject(.replace)
        for seed in 1...2 as ClosedRange<UInt64> {
            _ = try await subject.send(testBytes(100, seed: seed), path("a"), in: place)
        }
        try subject.decay(at: [7])
        #expect(try await subject.send(testBytes(100, seed: 1), path("a"), in: place).outcome == .replaced)
    }
}
