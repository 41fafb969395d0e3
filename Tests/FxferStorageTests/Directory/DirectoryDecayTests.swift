import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A stored file that is offered again and has decayed")
struct DirectoryDecayTests {
    typealias Sample = DecaySample
    private static let step = UInt64(Sample.step)
    private static let end = UInt64(Sample.size)

    /// What is said of the sample.
    private static func offered(_ subject: DirectoryUnderTest) async throws -> Offered<DirectoryStagedFile> {
        try await subject.store.offered("a", Sample.attributes)
    }

    @Test(
        "is told with what it was stored with, and with the steps of the hash that are damaged",
        arguments: [
            ([0], [0..<step]), ([Sample.step], [step..<2 * step]), ([Sample.size - 1], [3 * step..<end]),
            ([5, 9, Sample.step * 2], [0..<step, 2 * step..<3 * step]), ([5, Sample.step], [0..<2 * step]),
            ([0, Sample.step, 2 * Sample.step, 3 * Sample.step], [0..<end]),
        ] as [([Int], [Range<UInt64>])],
        [ConflictPolicy.refuse, .replace, .keepBoth]
    )
    func located(damage: ([Int], [Range<UInt64>]), conflict: ConflictPolicy) async throws {
        let subject = try await DirectoryConflictTests.subject(conflict)
        try await subject.storeDecayed(at: damage.0)
        let status = try subject.folder.status(of: "a")
        let offered = try await Self.offered(subject)
        #expect(offered.existing.size == Self.end)
        #expect(offered.existing.digest == sha256(Sample.damaged(at: damage.0)))
        #expect((offered.otherwise == nil) == (conflict == .refuse))
        #expect(offered.decayed?.decay == Decay(digest: sha256(Sample.content), ranges: damage.1))
        await offered.otherwise?.discard(keepingPartial: false)
        #expect(try subject.folder.status(of: "a") == status)
        #expect(try subject.content(at: path("a")) == Sample.damaged(at: damage.0))
        #expect(try subject.stagedCount() == 0)
    }

    @Test("is damaged all over where nobody knows the states of its hash", arguments: [100, Sample.size])
    func unlocated(size: Int) async throws {
        let subject = try await DirectoryUnderTest()
        let content = testBytes(size)
        _ = try await subject.send(content, path("a"), in: .disk)
        for name in try subject.folder.names(in: ".fxfer/states") { try subject.folder.remove(".fxfer/states/" + name) }
        try subject.decay(at: [7])
        let offered = try await subject.store.offered("a", FileAttributes(size: UInt64(size)))
        #expect(offered.decayed?.decay == Decay(digest: sha256(content), ranges: [0..<UInt64(size)]))
    }

    @Test("is one in a folder, too, and one that was renamed is not")
    func elsewhere() async throws {
        let subject = try await DirectoryUnderTest()
        try await subject.storeDecayed("d/a", at: [0])
        #expect(try await subject.store.offered("d/a", Sample.attributes).decayed != nil)
        try subject.folder.rename("d/a", to: "d/b")
        #expect(try await subject.store.offered("d/b", Sample.attributes).decayed == nil)
    }

    enum Other: CaseIterable {
        /// It is as it was stored.
        case intact
        /// Somebody has written to it.
        case written
        /// The same, and it is as it was stored but for its time.
        case touched
        /// Another file has its name, which nobody stored.
        case replaced
        /// Another file has its name and its time, but not its size.
        case longer
        /// Nobody has stored it.
        case unknown
        /// It was sent with its damage, and the receipt for that stands.
        case confirmed
        /// Nothing is written down of the files.
        case beside

        func prepare(_ subject: DirectoryUnderTest) async throws {
            switch self {
            case .intact: try await subject.storeDecayed(at: [])
            case .written:
                try await subject.storeDecayed(at: [])
                try subject.put([1, 2, 3], at: path("a"))
            case .touched:
                try await subject.storeDecayed(at: [])
                let time = FileTime(seconds: 1_234_567_890, nanoseconds: 8)
                try subject.folder.open().openBeneath(CPath("a"), O_RDWR).setModified(time)
            case .replaced:
                try await subject.storeDecayed(at: [])
                try subject.folder.write(testBytes(Sample.size, seed: 9), to: "b")
                try subject.folder.rename("b", to: "a")
            case .longer:
                try await subject.storeDecayed(at: [0])
                let file = try subject.folder.open().openBeneath(CPath("a"), O_RDWR)
                let modified = try file.status().stamp.modified
                try ([1] as [UInt8]).withUnsafeBytes { try file.write($0, at: UInt64(Sample.size)) }
                try file.setModified(modified)
            case .unknown:
                try subject.put(Sample.content, at: path("a"))
                try subject.decay(at: [0])
            case .confirmed:
                try await subject.storeDecayed(at: [0])
                let existing = try await DirectoryDecayTests.offered(subject).existing
                #expect(try await existing.confirmDurable().outcome == .identical)
            case .beside: try await subject.storeDecayed(at: [0])
            }
        }
    }

    @Test("is not one that is intact, unknown, or that somebody has written to", arguments: Other.allCases)
    func otherwise(other: Other) async throws {
        var options = DirectoryStore.Options.patient
        if other == .beside { options.layout = .beside }
        // Only where files may be replaced is damage that was sent taken for what is stored.
        if other == .confirmed { options.conflict = .replace }
        let subject = try await DirectoryUnderTest(options: options)
        try await other.prepare(subject)
        let content = try subject.content(at: path("a"))
        let attributes = FileAttributes(size: UInt64(Sample.size + (other == .longer ? 1 : 0)))
        let offered = try await subject.store.offered("a", attributes)
        #expect(offered.decayed == nil)
        #expect(try subject.content(at: path("a")) == content)
    }

    @Test("is not found out by size and time, nor where it is to be compared afterwards")
    func notRead() async throws {
        let subject = try await DirectoryConflictTests.subject(.replace)
        try await subject.storeDecayed(at: [0])
        guard case .unchanged = try await subject.store.stage(path("a"), Sample.attributes, .bySizeAndTime) else {
            throw UnexpectedStaging()
        }
        guard case .fresh = try await subject.store.stage(path("a"), Sample.attributes, .afterwards) else {
            throw UnexpectedStaging()
        }
    }

    @Test("is not one that grows while it is looked at: no damage is told behind the size that it had")
    func growing() async throws {
        let subject = try await DirectoryUnderTest()
        try await subject.storeDecayed(at: [0])
        let target = try await subject.staged([1], path("a")).target
        let file = try #require(try PublishedFile.find(path("a"), in: subject.store.tree))
        try subject.folder.append([1, 2, 3], to: "a")
        #expect(try await subject.store.decayed(file, target) == nil)
    }

    @Test("has ended when its task has")
    func cancelled() async throws {
        let subject = try await DirectoryUnderTest()
        try await subject.storeDecayed(at: [0])
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try await Self.offered(subject)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
