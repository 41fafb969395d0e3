import FxferProtocol
import Glibc
import NIOCore
import Synchronization
import Testing

@testable import FxferStorage

@Suite("Levels of durability")
struct DirectoryLevelTests {
    typealias Place = DirectoryUnderTest.Place

    static func staged(
        _ subject: DirectoryUnderTest,
        _ bytes: [UInt8],
        _ name: String,
        _ level: Durability,
        in place: Place = .disk
    ) async throws -> DirectoryStagedFile {
        let attributes = FileAttributes(size: UInt64(bytes.count))
        if place == .memory, let file = subject.store.stageInMemory(try path(name), attributes, level) {
            #expect(file.appendInMemory(ByteBuffer(bytes: bytes)))
            return file
        }
        let staging = try await subject.store.stage(path(name), attributes, .afterwards, level)
        guard case .fresh(let file) = staging else { throw CannotStage() }
        try await file.append(ByteBuffer(bytes: bytes))
        return file
    }

    static let possible = Durability.allCases.filter { $0 < .media || mediaAccessOfTests != nil }

    @Test("what is stored, replaced or there already is what was asked for", arguments: Self.possible, Place.allCases)
    func reached(level: Durability, place: Place) async throws {
        let subject = try await DirectoryConflictTests.subject(.replace)
        for (bytes, outcome) in [
            (testBytes(10), .stored), (testBytes(10), .identical), (testBytes(20), .replaced),
        ] as [([UInt8], Publication.Outcome)] {
            let publication = try await Self.staged(subject, bytes, "a/b", level, in: place).publish()
            #expect(publication.outcome == outcome)
            #expect(publication.level == level)
            #expect(publication.record?.durability == level)
            #expect(try subject.content(at: path("a/b")) == bytes)
        }
        #expect(try subject.stagedCount() == 0)
    }

    @Test("a file that is there is written down again only for a higher level than before")
    func again() async throws {
        let subject = try await DirectoryUnderTest()
        var entries: [Digest?] = []
        for level in Self.possible + Self.possible.reversed() {
            let publication = try await Self.staged(subject, [1], "a", level).publish()
            #expect(publication.record?.durability == level)
            entries.append(publication.record?.entry)
        }
        let count = Self.possible.count
        #expect(Set(entries).count == count)
        #expect(entries[(count - 1)...].allSatisfy { $0 == entries[count - 1] })
    }

    @Test("a file that need not be durable does not wait for a folder that cannot be flushed")
    func verified() async throws {
        let subject = try await DirectoryUnderTest()
        let committer = try subject.committer()
        let folders = GroupFolders(committer.tree)
        let codes = Mutex([String: FxferError.Code?]())
        var members: [CommitMember] = []
        for (name, level) in [("a/verified", .verified), ("a/durable", .durable)] as [(String, Durability)] {
            let file = try await Self.staged(subject, testBytes(10), name, level)
            let item = CommitQueue.Item(file: file, size: 10, origin: Origin()) { result in
                codes.withLock { $0[name] = .some(result.failureCode) }
            }
            members.append(CommitMember(item, committer))
        }
        for member in members { member.prepare(folders) }
        for member in members { member.enterFolder(folders) }
        for member in members { member.takeName() }
        #expect(members.map(\.needsFlush) == [false, true])
        try DirectoryFlushFailureTests.breakFlush(of: folders.make(for: path("a/x")))
        folders.sync()
        for member in members { member.checkDurable() }
        for member in members where member.state == .durable { member.finish(nil) }
        #expect(codes.withLock { $0 } == ["a/verified": nil, "a/durable": .io])
        #expect(try subject.published() == [Array("a/verified".utf8)])
    }

    @Test("a group with all levels is published", arguments: Place.allCases)
    func group(place: Place) async throws {
        let subject = try await DirectoryUnderTest()
        var files: [DirectoryStagedFile] = []
        for (number, level) in (Self.possible + Self.possible).enumerated() {
            files.append(try await Self.staged(subject, testBytes(10 + number), "a/\(number)", level, in: place))
        }
        let results = try subject.commit(files)
        #expect(try results.map { try $0.get().level } == Self.possible + Self.possible)
        #expect(try subject.published().count == files.count)
    }

    @Test(
        "a file of which the disk gives back something else is withdrawn",
        .enabled(if: mediaAccessOfTests != nil, "/tmp is on no disk"),
        arguments: Place.allCases
    )
    func damaged(place: Place) async throws {
        let subject = try await DirectoryUnderTest()
        let committer = try subject.committer()
        let folders = GroupFolders(committer.tree)
        let file = try await Self.staged(subject, testBytes(10), "a", .media, in: place)
        let code = Mutex(FxferError.Code?.none)
        let item = CommitQueue.Item(file: file, size: 10, origin: Origin()) { result in
            code.withLock { $0 = result.failureCode }
        }
        let member = CommitMember(item, committer)
        member.prepare(folders)
        member.enterFolder(folders)
        member.takeName()
        folders.sync()
        #expect(try subject.published() == [Array("a".utf8)])
        // What a disk does that lies: other bytes than those that were hashed.
        try subject.put([0xFF], at: path("a"))
        try subject.folder.open().openBeneath(CPath("a"), O_RDONLY).sync()
        member.checkDurable()
        #expect(code.withLock { $0 } == .damaged)
        #expect(try subject.published() == [])
        #expect(try subject.stagedCount() == 0)
    }
}
