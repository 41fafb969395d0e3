import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A repair that cannot be finished")
struct DirectoryRepairFailureTests {
    typealias Sample = DecaySample
    typealias Place = DirectoryUnderTest.Place

    /// Everything but the name: the sample with its first byte replaced.
    private static func begin(_ subject: DirectoryUnderTest) async throws -> DirectoryStagedFile {
        let file = try await subject.store.beginRepair()
        try await file.repair([0..<1])
        return file
    }

    /// Somebody writes another file of the same size under the name, or into it.
    enum Rewriting: CaseIterable {
        case inPlace, byRename

        func apply(_ subject: DirectoryUnderTest) throws -> [UInt8] {
            let bytes = testBytes(Sample.size, seed: 2)
            try subject.folder.write(bytes, to: self == .inPlace ? "a" : "b")
            if self == .byRename { try subject.folder.rename("b", to: "a") }
            return bytes
        }
    }

    @Test("as somebody has written to the file meanwhile leaves it as it is", arguments: Rewriting.allCases)
    func rewritten(rewriting: Rewriting) async throws {
        let subject = try await DirectoryRepairTests.subject(at: [0])
        let file = try await Self.begin(subject)
        let bytes = try rewriting.apply(subject)
        let status = try subject.folder.status(of: "a")
        #expect(await failureCode { _ = try await file.publish() } == .exists)
        #expect(try subject.content(at: path("a")) == bytes)
        #expect(try subject.folder.status(of: "a") == status)
        #expect(try subject.published() == [Array("a".utf8)])
        #expect(try subject.stagedCount() == 0)
    }

    @Test("keeps both, or replaces, where a store does that with any file", arguments: Rewriting.allCases)
    func rewrittenOtherwise(rewriting: Rewriting) async throws {
        for conflict in [ConflictPolicy.replace, .keepBoth] {
            let subject = try await DirectoryRepairTests.subject(conflict, at: [0])
            let file = try await Self.begin(subject)
            let bytes = try rewriting.apply(subject)
            let publication = try await file.publish()
            if conflict == .replace {
                #expect(publication.outcome == .replaced)
                #expect(try subject.content(at: path("a")) == Sample.content)
            } else {
                #expect(publication.unrecorded == Publication(.stored, at: try path("a.1")))
                #expect(try subject.content(at: path("a")) == bytes)
                #expect(try subject.content(at: path("a.1")) == Sample.content)
            }
        }
    }

    @Test("of a file that is gone stores it; of one that somebody else has repaired, that stays")
    func goneOrRepaired() async throws {
        let subject = try await DirectoryRepairTests.subject(at: [0])
        let files = [try await Self.begin(subject), try await Self.begin(subject)]
        try subject.remove(path("a"))
        #expect(try await files[0].publish().outcome == .stored)
        let status = try subject.folder.status(of: "a")
        #expect(try await files[1].publish().outcome == .identical)
        #expect(try subject.folder.status(of: "a")?.identity == status?.identity)
        try DirectoryRepairTests.expectWhole(subject)
    }

    @Test("goes on where more of the file has decayed meanwhile")
    func moreDecay() async throws {
        let subject = try await DirectoryRepairTests.subject(at: [0])
        let file = try await Self.begin(subject)
        try subject.decay(at: [1, Sample.size - 1])
        #expect(try await file.publish().outcome == .repaired)
        try DirectoryRepairTests.expectWhole(subject)
    }

    @Test("of several, one repairs, and the others find that")
    func race() async throws {
        let subject = try await DirectoryRepairTests.subject(at: [0])
        var files: [DirectoryStagedFile] = []
        for _ in 0..<4 { files.append(try await Self.begin(subject)) }
        let outcomes = try await withThrowingTaskGroup(of: Publication.Outcome.self) { group in
            for file in files { group.addTask { try await file.publish().outcome } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == .repaired } == 1)
        #expect(outcomes.count { $0 == .identical } == 3)
        try DirectoryRepairTests.expectWhole(subject)
    }

    @Test("as the file has become shorter publishes nothing, and cannot be gone on with", arguments: [0, 1, 2_000_000])
    func shorter(size: UInt64) async throws {
        let subject = try await DirectoryRepairTests.subject(at: [0])
        let file = try await subject.store.beginRepair()
        try await file.append(ByteBuffer(bytes: Sample.content[..<1]))
        file.keep()
        try subject.folder.open().openBeneath(CPath("a"), O_RDWR).truncate(to: size)
        #expect(await failureCode { try await file.fill(upTo: UInt64(Sample.size)) } == .io)
        #expect(try subject.stagedCount() == 0)
        #expect(await failureCode { try await file.append(ByteBuffer(bytes: [1])) } == .io)
        #expect(await failureCode { try await file.fill(upTo: UInt64(Sample.size)) } == .io)
        #expect(await failureCode { _ = try await file.publish() } == .io)
        await file.discard(keepingPartial: true)
        #expect(try subject.content(at: path("a")) == Array(Sample.damaged(at: [0])[..<Int(size)]))
        #expect(try subject.published() == [Array("a".utf8)])
        #expect(try subject.stagedCount() == 0)
    }

    @Test("reads the file that was looked at, whatever has its name since")
    func movedAway() async throws {
        let subject = try await DirectoryRepairTests.subject(at: [0])
        let file = try await subject.store.beginRepair()
        try subject.remove(path("a"))
        try subject.put(testBytes(10, seed: 5), at: path("a"))
        try await file.repair([0..<1])
        #expect(file.runningDigest() == sha256(Sample.content))
        #expect(await failureCode { _ = try await file.publish() } == .exists)
        #expect(try subject.content(at: path("a")) == testBytes(10, seed: 5))
    }

    @Test("as it has become something else is not published over the file")
    func otherContent() async throws {
        let subject = try await DirectoryRepairTests.subject(at: [0, 5])
        let file = try await Self.begin(subject)
        #expect(await failureCode { _ = try await file.publish() } == .exists)
        #expect(try subject.content(at: path("a")) == Sample.damaged(at: [0, 5]))
        #expect(try subject.stagedCount() == 0)
    }

    @Test("leaves nothing, whether it is given up, forgotten, or a later try could go on", arguments: 0..<3)
    func givenUp(way: Int) async throws {
        let subject = try await DirectoryRepairTests.subject(at: [0])
        do {
            let file = try await Self.begin(subject)
            file.keep()
            #expect(try subject.stagedCount() == 1)
            if way < 2 { await file.discard(keepingPartial: way == 1) }
        }
        #expect(try subject.partialFiles() == [])
        #expect(try subject.content(at: path("a")) == Sample.damaged(at: [0]))
        #expect(try subject.published() == [Array("a".utf8)])
    }

    @Test("a file that repairs none has nothing to be filled from", arguments: Place.allCases)
    func fillsNone(place: Place) async throws {
        let subject = try await DirectoryUnderTest()
        let file = try await subject.staged([1], path("a"), in: place)
        #expect(await failureCode { try await file.fill(upTo: 2) } == .internal)
        #expect(file.position == 1)
        await file.discard(keepingPartial: false)
        #expect(try subject.published() == [])
    }

    @Test("the name is taken from one file alone, where that is asked")
    func identity() async throws {
        let subject = try await DirectoryUnderTest()
        try subject.put([1], at: path("a"))
        try subject.put([2], at: path("b"))
        let partials = try subject.committer().partials
        let root = try subject.folder.open()
        let identity = try #require(try subject.folder.status(of: "a")?.identity)
        do {
            var partial = try PartialFile.create(in: partials)
            try partial.write([3])
            #expect(throws: Errno(EEXIST)) { _ = try partial.replace(CPath("b"), of: identity, in: root) }
            #expect(throws: Errno(ENOENT)) { _ = try partial.replace(CPath("c"), of: identity, in: root) }
            #expect(try subject.content(at: path("b")) == [2])
            let replacement = try partial.replace(CPath("a"), of: identity, in: root)
            #expect(try subject.content(at: path("a")) == [3])
            partial.withdraw(replacement, from: root, CPath("a"), of: try partial.status().identity)
            #expect(try subject.content(at: path("a")) == [1])
        }
        #expect(try subject.published() == [Array("a".utf8), Array("b".utf8)])
        #expect(try subject.stagedCount() == 0)
    }
}
