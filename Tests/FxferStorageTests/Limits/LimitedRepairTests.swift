import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A store with limits in which a file has decayed")
struct LimitedRepairTests {
    typealias Sample = DecaySample

    private static let size = UInt64(Sample.size)

    /// A store with the sample, whose first byte has decayed.
    private static func subject(_ limits: StorageLimits) async throws -> LimitedDirectory {
        try await LimitedDirectory(limits, DirectoryRepairTests.subject(at: [0]))
    }

    private static func expectUntouched(_ subject: LimitedDirectory) throws {
        #expect(try subject.content(at: path("a")) == Sample.damaged(at: [0]))
        #expect(try subject.published() == [Array("a".utf8)])
        #expect(try subject.stagedCount() == 0)
    }

    @Test("has it repaired where there is room for a copy, and counts the file once when it measures again")
    func room() async throws {
        let subject = try await Self.subject(StorageLimits(maxTotalSize: 2 * Self.size + 100))
        let file = try await subject.store.beginRepair()
        try await file.repair([0..<1])
        #expect(file.position == Self.size)
        #expect(try await file.publish().outcome == .repaired)
        try DirectoryRepairTests.expectWhole(subject.directory)
        #expect(try await subject.refusal(of: Self.size + 100) == nil)
        #expect(try await subject.refusal(of: Self.size + 101) == .noSpace)
    }

    enum First: CaseIterable {
        case fill, append
    }

    @Test("refuses what there is no room for, before a byte of it is written", arguments: First.allCases)
    func noRoom(first: First) async throws {
        let subject = try await Self.subject(StorageLimits(maxTotalSize: 2 * Self.size - 1))
        let file = try await subject.store.beginRepair()
        let code = await failureCode {
            switch first {
            case .fill: try await file.fill(upTo: 1)
            case .append: try await file.append(ByteBuffer(bytes: [1]))
            }
        }
        #expect(code == .noSpace)
        #expect(file.position == 0)
        await file.discard(keepingPartial: true)
        try Self.expectUntouched(subject)
        #expect(try await subject.refusal(of: Self.size - 1) == nil)
        #expect(try await subject.refusal(of: Self.size) == .noSpace)
    }

    @Test("gives back what a repair had that was given up")
    func givenUp() async throws {
        let subject = try await Self.subject(StorageLimits(maxTotalSize: 2 * Self.size))
        let file = try await subject.store.beginRepair()
        try await file.fill(upTo: 10)
        #expect(try await subject.refusal(of: 1) == .noSpace)
        file.rewind()
        #expect(try await subject.refusal(of: 1) == .noSpace)
        await file.discard(keepingPartial: true)
        #expect(try await subject.refusal(of: Self.size) == nil)
        try Self.expectUntouched(subject)
    }

    @Test("refuses a file that is larger than is taken now, decayed or not")
    func tooLarge() async throws {
        let subject = try await Self.subject(StorageLimits(maxFileSize: Self.size - 1))
        #expect(await failureCode { _ = try await subject.store.beginRepair() } == .tooLarge)
        try Self.expectUntouched(subject)
    }

    @Test("keeps the chosen part of the disk free")
    func freeSpace() async throws {
        let subject = try await Self.subject(StorageLimits(minFreeSpace: 900 << 40))
        let file = try await subject.store.beginRepair()
        #expect(await failureCode { try await file.fill(upTo: Self.size) } == .noSpace)
        await file.discard(keepingPartial: false)
        try Self.expectUntouched(subject)
    }

    @Test("has nothing to fill a file from that repairs none")
    func fillsNone() async throws {
        let subject = try await LimitedDirectory(StorageLimits(maxTotalSize: 100_000))
        let fresh = try await subject.fresh(path("b"), FileAttributes(size: 10))
        #expect(await failureCode { try await fresh.fill(upTo: 10) } == .internal)
        let small = try #require(subject.store.stageInMemory(try path("c"), FileAttributes(size: 10)))
        #expect(await failureCode { try await small.fill(upTo: 10) } == .internal)
        #expect(try subject.published() == [])
    }
}
