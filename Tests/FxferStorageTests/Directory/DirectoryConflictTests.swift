import FxferProtocol
import Glibc
import NIOCore
import Synchronization
import Testing

@testable import FxferStorage

@Suite("Where a name in a directory is taken,")
struct DirectoryConflictTests {
    typealias Place = DirectoryUnderTest.Place

    static func subject(_ conflict: ConflictPolicy) async throws -> DirectoryUnderTest {
        var options = DirectoryStore.Options()
        options.conflict = conflict
        return try await DirectoryUnderTest(options: options)
    }

    @Test(
        "identical content is a success and changes nothing",
        arguments: [ConflictPolicy.refuse, .replace, .keepBoth],
        Place.allCases
    )
    func identical(conflict: ConflictPolicy, place: Place) async throws {
        let subject = try await Self.subject(conflict)
        try subject.put(testBytes(100), at: path("a"))
        let status = try subject.folder.status(of: "a")
        let attributes = FileAttributes(modified: FileTime(seconds: 1, nanoseconds: 0))
        let publication = try await subject.send(testBytes(100), path("a"), attributes, in: place)
        #expect(publication.unrecorded == Publication(.identical, at: try path("a")))
        #expect(try subject.folder.status(of: "a") == status)
        #expect(try subject.stagedCount() == 0)
    }

    @Test("a file is replaced, whole and with its attributes", arguments: Place.allCases, [99, 100])
    func replace(place: Place, size: Int) async throws {
        let subject = try await Self.subject(.replace)
        try subject.put(testBytes(100), at: path("a"))
        let old = try subject.folder.open().openBeneath(CPath("a"), O_RDONLY)
        let attributes = FileAttributes(permissions: 0o640)
        let publication = try await subject.send(testBytes(size, seed: 2), path("a"), attributes, in: place)
        #expect(publication.unrecorded == Publication(.replaced, at: try path("a")))
        #expect(try subject.content(at: path("a")) == testBytes(size, seed: 2))
        #expect(try subject.folder.status(of: "a")?.permissions == 0o640)
        #expect(try old.content() == testBytes(100))
        #expect(try old.status().links == 0)
        #expect(try subject.stagedCount() == 0)
    }

    @Test("something else than a file is neither replaced nor followed", arguments: Place.allCases)
    func obstacle(place: Place) async throws {
        let subject = try await Self.subject(.replace)
        let outside = try TemporaryFolder()
        try outside.write([1], to: "file")
        try subject.folder.link("link", to: outside("file"))
        try subject.folder.link("dangling", to: outside("none"))
        try subject.folder.makePipe("pipe")
        try subject.folder.makeFolder("folder")
        let names = ["dangling", "folder", "link", "pipe"]
        for name in names {
            let code = await failureCode { _ = try await subject.send(testBytes(5), path(name), in: place) }
            #expect(code == .exists)
        }
        #expect(try subject.folder.names() == [".fxfer"] + names)
        #expect(try subject.folder.names(in: "folder") == [])
        #expect(try outside.names() == ["file"])
        #expect(try outside.bytes(of: "file") == [1])
        #expect(try subject.stagedCount() == 0)
    }

    @Test("a link that takes the name at the last moment is given it back")
    func lateLink() async throws {
        let subject = try await Self.subject(.replace)
        let committer = try subject.committer()
        try subject.folder.link("a", to: "/etc/passwd")
        var partial = try PartialFile.create(in: committer.partials)
        let root = try subject.folder.open()
        #expect(throws: Errno(EEXIST)) { _ = try partial.replace(CPath("a"), in: root) }
        #expect(try subject.folder.status(of: "a")?.kind == .link)
    }

    @Test("a replacement whose folder cannot be made durable gives the name back")
    func withdrawal() async throws {
        let subject = try await Self.subject(.replace)
        let committer = try subject.committer()
        try subject.put([1], at: path("a"))
        do {
            var partial = try PartialFile.create(in: committer.partials)
            let root = try subject.folder.open()
            let replacement = try partial.replace(CPath("a"), in: root)
            #expect(try subject.content(at: path("a")) == [])
            partial.withdraw(replacement, from: root, CPath("a"), of: try partial.status().identity)
        }
        #expect(try subject.content(at: path("a")) == [1])
        #expect(try subject.stagedCount() == 0)
    }

    @Test("a reader sees the whole old or the whole new file during 200 replacements")
    func reader() async throws {
        let subject = try await Self.subject(.replace)
        let contents = (0..<4).map { testBytes(20_000 + Int($0), seed: $0) }
        try subject.put(contents[0], at: path("a"))
        let isOver = Atomic(false)
        async let torn = {
            var torn = 0
            while !isOver.load(ordering: .relaxed) {
                let seen = try subject.content(at: path("a"))
                if !contents.contains(where: { $0 == seen }) { torn += 1 }
                await Task.yield()
            }
            return torn
        }()
        for round in 1...200 {
            let place = Place.allCases[round % 2]
            let outcome = try await subject.send(contents[round % 4], path("a"), in: place).outcome
            #expect(outcome == .replaced)
        }
        isOver.store(true, ordering: .relaxed)
        #expect(try await torn == 0)
        #expect(try subject.content(at: path("a")) == contents[0])
        #expect(try subject.published() == [Array("a".utf8)])
        #expect(try subject.stagedCount() == 0)
    }

    @Test("of many that replace one file at once the last one wins, whole")
    func replaceRace() async throws {
        let subject = try await Self.subject(.replace)
        let contents = (0..<30).map { testBytes(5000, seed: $0) }
        let outcomes = try await withThrowingTaskGroup(of: Publication.Outcome.self) { group in
            for content in contents {
                group.addTask { try await subject.send(content, path("a")).outcome }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == .stored } == 1)
        #expect(outcomes.count { $0 == .replaced } == 29)
        let content = try subject.content(at: path("a"))
        #expect(contents.contains { $0 == content })
        #expect(try subject.published() == [Array("a".utf8)])
        #expect(try subject.stagedCount() == 0)
    }

    @Test("both are kept, the new one beside the old", arguments: Place.allCases)
    func keepBoth(place: Place) async throws {
        let subject = try await Self.subject(.keepBoth)
        let names = ["a", "a.1", "a.2", "a.3"]
        for (seed, name) in names.enumerated() {
            let publication = try await subject.send(testBytes(50, seed: UInt64(seed)), path("a"), in: place)
            #expect(publication.unrecorded == Publication(.stored, at: try path(name)))
        }
        let again = try await subject.send(testBytes(50, seed: 2), path("a"), in: place)
        #expect(again.unrecorded == Publication(.identical, at: try path("a.2")))
        #expect(try subject.published() == names.map { Array($0.utf8) })
        #expect(try subject.content(at: path("a")) == testBytes(50, seed: 0))
        #expect(try subject.stagedCount() == 0)
    }

    @Test("a name that is too long for another beside it is refused")
    func keepBothLong() async throws {
        let subject = try await Self.subject(.keepBoth)
        let name = try path(String(repeating: "n", count: 254))
        try subject.put([1], at: name)
        #expect(await failureCode { _ = try await subject.send([2], name) } == .exists)
        #expect(try subject.published() == [name.bytes])
        #expect(try subject.content(at: name) == [1])
    }

    @Test("of many that keep both at once each gets a name")
    func keepBothRace() async throws {
        let subject = try await Self.subject(.keepBoth)
        let paths = try await withThrowingTaskGroup(of: RelativePath.self) { group in
            for seed in 0..<30 {
                group.addTask { try await subject.send(testBytes(500, seed: UInt64(seed)), path("a")).path }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(paths.count == 30)
        #expect(try Set(subject.published()) == Set(paths.map(\.bytes)))
    }
}
