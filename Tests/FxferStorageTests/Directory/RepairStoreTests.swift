import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A directory in which only decayed files are repaired")
struct RepairStoreTests {
    typealias Sample = DecaySample

    /// What the other server says of the sample; nothing of it counts but the size.
    private static let offer = FileAttributes(
        size: UInt64(Sample.size),
        modified: FileTime(seconds: 7, nanoseconds: 7),
        permissions: 0o777
    )

    @Test("a file keeps its permissions and time, whatever the other server says")
    func repaired() async throws {
        let subject = try await DirectoryRepairTests.subject(at: [0, Sample.size - 1])
        let store = RepairStore(subject.store)
        let offered = try await store.offered("a", Self.offer)
        #expect(offered.otherwise == nil)
        #expect(offered.existing.digest == sha256(Sample.damaged(at: [0, Sample.size - 1])))
        let file = try #require(try await offered.decayed?.stageRepair())
        try await file.repair([0..<1, Sample.size - 1..<Sample.size])
        #expect(try await file.publish().outcome == .repaired)
        try DirectoryRepairTests.expectWhole(subject)
    }

    @Test("nothing is taken without a look at what is there", arguments: [0, 10, Sample.size])
    func inMemory(size: Int) async throws {
        let subject = try await DirectoryRepairTests.subject(at: [0])
        let store = RepairStore(subject.store)
        for name in ["a", "new"] {
            #expect(try store.stageInMemory(path(name), FileAttributes(size: UInt64(size)), .durable) == nil)
        }
    }

    @Test("a file that has not decayed is compared, and cannot be written to")
    func intact() async throws {
        let subject = try await DirectoryRepairTests.subject(at: [])
        let offered = try await RepairStore(subject.store).offered("a", Self.offer)
        #expect(offered.otherwise == nil)
        #expect(offered.decayed == nil)
        #expect(try await offered.existing.confirmDurable().outcome == .identical)
        try DirectoryRepairTests.expectWhole(subject)
    }

    @Test("a file that comes without being compared repairs what it was stored as, and nothing else")
    func unasked() async throws {
        let subject = try await DirectoryUnderTest()
        let attributes = FileAttributes(modified: FileTime(seconds: 5, nanoseconds: 6), permissions: 0o640)
        _ = try await subject.send(testBytes(100), path("a"), attributes)
        try subject.put(testBytes(100), at: path("unknown"))
        for name in ["a", "unknown"] { try subject.decay(name, at: [7]) }
        let damaged = Sample.damaged(at: [7], testBytes(100))
        let store = RepairStore(subject.store)
        for (name, seed) in [("a", 2), ("unknown", 1), ("a", 1)] as [(String, UInt64)] {
            let offer = FileAttributes(size: 100, modified: FileTime(seconds: 7, nanoseconds: 7), permissions: 0o777)
            guard case .fresh(let file) = try await store.stage(path(name), offer, .afterwards) else {
                throw UnexpectedStaging()
            }
            try await file.append(ByteBuffer(bytes: testBytes(100, seed: seed)))
            #expect(try subject.content(at: path(name)) == damaged)
            if name == "a", seed == 1 {
                #expect(try await file.publish().outcome == .repaired)
            } else {
                #expect(await failureCode { _ = try await file.publish() } == .exists)
                #expect(try subject.content(at: path(name)) == damaged)
            }
        }
        #expect(try subject.content(at: path("a")) == testBytes(100))
        #expect(try subject.folder.status(of: "a")?.permissions == 0o640)
        #expect(try subject.folder.status(of: "a")?.stamp.modified == attributes.modified)
        #expect(try subject.stagedCount() == 0)
    }

    static let refused: [(name: String, size: UInt64?, code: FxferError.Code)] = [
        ("none", 10, .noInput), ("d/none", 10, .noInput), ("a/b", 10, .noInput), ("link", 10, .noInput),
        ("pipe", 0, .noInput), ("d", 0, .noInput), ("a", 10, .exists), ("a", UInt64(Sample.size) + 1, .exists),
        ("a", nil, .exists),
    ]

    @Test(
        "what is not there, is no file, or has another size is refused, and nothing is made",
        arguments: Self.refused,
        [Comparison.byDigest, .bySizeAndTime, .afterwards]
    )
    func other(offer: (name: String, size: UInt64?, code: FxferError.Code), comparison: Comparison) async throws {
        let subject = try await DirectoryRepairTests.subject(at: [0])
        try subject.folder.makeFolder("d")
        try subject.folder.link("link", to: "a")
        try subject.folder.makePipe("pipe")
        let names = try subject.folder.names()
        let store = RepairStore(subject.store)
        let attributes = FileAttributes(size: offer.size, modified: Sample.attributes.modified)
        let code = await failureCode { _ = try await store.stage(path(offer.name), attributes, comparison) }
        #expect(code == offer.code)
        #expect(try subject.folder.names() == names)
        #expect(try subject.folder.names(in: "d") == [])
        #expect(try subject.content(at: path("a")) == Sample.damaged(at: [0]))
        #expect(try subject.stagedCount() == 0)
    }
}
