import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("The states of what a directory store publishes")
struct DirectoryStatesTests {
    private static let size = (5 << 19) + 77
    private static let content = testBytes(size)
    private static let chunk = 300_000

    private static func expected(_ content: [UInt8] = content) -> HashStates {
        var hash = SteppedHash()
        hash.update(ByteBuffer(bytes: content))
        return hash.states
    }

    private static func begin(
        _ subject: DirectoryUnderTest,
        _ name: String = "a"
    ) async throws -> DirectoryStagedFile {
        let attributes = FileAttributes(size: UInt64(Self.size))
        switch try await subject.store.stage(path(name), attributes, .byDigest) {
        case .fresh(let file), .partial(let file): return file
        case .existing, .unchanged: throw CannotStage()
        }
    }

    private static func send(upTo end: Int = size, to file: DirectoryStagedFile) async throws {
        while file.position < end {
            let start = Int(file.position)
            try await file.append(ByteBuffer(bytes: Self.content[start..<min(end, start + Self.chunk)]))
            file.keep()
        }
    }

    private static func kept(_ subject: DirectoryUnderTest) -> HashStates? {
        subject.store.committer.records?.states.load(for: sha256(Self.content), size: UInt64(Self.size))
    }

    private static func expectKept(_ subject: DirectoryUnderTest) throws {
        let states = try #require(Self.kept(subject))
        #expect(states.states.count == 2)
        #expect(states == Self.expected())
        #expect(try subject.folder.names(in: ".fxfer/states") == [sha256(Self.content).hex])
        #expect(try subject.content(at: path("a")) == Self.content)
    }

    @Test("are kept for a file, and before it has its name")
    func published() async throws {
        let subject = try await DirectoryUnderTest()
        let file = try await Self.begin(subject)
        try await Self.send(to: file)
        #expect(Self.kept(subject) == nil)
        #expect(try await file.publish().outcome == .stored)
        try Self.expectKept(subject)
    }

    @Test("are the right ones after damage, rewinds and restarts")
    func rewound() async throws {
        let subject = try await DirectoryUnderTest()
        let file = try await Self.begin(subject)
        try await file.append(ByteBuffer(bytes: testBytes(3 << 20, seed: 2)))
        file.keep()
        file.restart()
        try await Self.send(upTo: 1_200_000, to: file)
        try await file.append(ByteBuffer(bytes: testBytes(2 << 20, seed: 3)))
        file.rewind()
        try await Self.send(to: file)
        #expect(try await file.publish().outcome == .stored)
        try Self.expectKept(subject)
    }

    @Test("of a resumed file are those of one that was sent at once", arguments: [900_000, 1_200_000, 2_400_000])
    func resumed(end: Int) async throws {
        let subject = try await DirectoryUnderTest()
        let first = try await Self.begin(subject)
        try await Self.send(upTo: end, to: first)
        // Beyond what is kept; a resumption cuts it off.
        try await first.append(ByteBuffer(bytes: testBytes(1 << 20, seed: 4)))
        await first.discard(keepingPartial: true)
        let file = try await Self.begin(subject)
        #expect(file.position > 0)
        try await Self.send(to: file)
        #expect(try await file.publish().outcome == .stored)
        try Self.expectKept(subject)
    }

    @Test("are kept for a file that replaces another")
    func replaced() async throws {
        var options = DirectoryStore.Options.patient
        options.conflict = .replace
        let subject = try await DirectoryUnderTest(options: options)
        try subject.put([1], at: path("a"))
        let file = try await Self.begin(subject)
        try await Self.send(to: file)
        #expect(try await file.publish().outcome == .replaced)
        try Self.expectKept(subject)
    }

    @Test("are not kept for files of up to 1 MiB, for what is refused, nor beside files")
    func none() async throws {
        let subject = try await DirectoryUnderTest()
        for (name, size) in [("b", 100), ("c", 1 << 20)] {
            _ = try await subject.send(testBytes(size), path(name), in: .disk)
        }
        let file = try await Self.begin(subject)
        try await Self.send(to: file)
        try subject.put([1], at: path("a"))
        #expect(await failureCode { _ = try await file.publish() } == .exists)
        #expect(try subject.folder.names(in: ".fxfer/states") == [])
        #expect(try subject.content(at: path("a")) == [1])
        var options = DirectoryStore.Options.patient
        options.layout = .beside
        let beside = try await DirectoryUnderTest(options: options)
        let other = try await Self.begin(beside)
        try await Self.send(to: other)
        #expect(try await other.publish().outcome == .stored)
        #expect(try beside.folder.names() == ["a"])
    }

    @Test("that cannot be kept do not keep a file from being published")
    func unwritable() async throws {
        let subject = try await DirectoryUnderTest()
        let file = try await Self.begin(subject)
        try await Self.send(to: file)
        // The folder has no name any more, so that nothing can be made in it.
        try once { rmdir(subject.folder(".fxfer/states")) }
        #expect(try await file.publish().outcome == .stored)
        #expect(try subject.content(at: path("a")) == Self.content)
        #expect(Self.kept(subject) == nil)
    }
}
