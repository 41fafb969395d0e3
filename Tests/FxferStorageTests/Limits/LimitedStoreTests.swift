import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A store with limits")
struct LimitedStoreTests {
    @Test("refuses a file that is announced as too large, and takes one that just fits")
    func largestFile() async throws {
        let subject = try await LimitedDirectory(StorageLimits(maxFileSize: 100_000))
        #expect(try await subject.refusal(of: 100_001) == .tooLarge)
        #expect(subject.store.stageInMemory(try path("a"), FileAttributes(size: 100_001)) == nil)
        #expect(try await subject.upload(testBytes(100_000), to: path("a")) == .stored)
        #expect(try subject.stagedCount() == 0)
    }

    @Test("holds small files in memory to the same limit")
    func largestInMemory() async throws {
        let subject = try await LimitedDirectory(StorageLimits(maxFileSize: 10))
        #expect(subject.store.stageInMemory(try path("a"), FileAttributes(size: 11)) == nil)
        #expect(subject.store.stageInMemory(try path("a"), FileAttributes(size: 10)) != nil)
    }

    @Test("refuses the first byte over the limit of a file of unknown size")
    func growingTooLarge() async throws {
        let subject = try await LimitedDirectory(StorageLimits(maxFileSize: 1000))
        let file = try await subject.fresh(path("a"))
        try await file.append(ByteBuffer(bytes: testBytes(1000)))
        #expect(await failureCode { try await file.append(ByteBuffer(bytes: [1])) } == .tooLarge)
        #expect(file.position == 1000)
        await file.discard(keepingPartial: false)
        #expect(try subject.stagedCount() == 0)
        #expect(try subject.published() == [])
    }

    @Test("counts what is there already, but no links and not its own folder")
    func measuredAtStart() async throws {
        let directory = try await DirectoryUnderTest()
        let elsewhere = try TemporaryFolder()
        try directory.put(testBytes(60_000), at: path("there"))
        try directory.folder.link("link", to: elsewhere.path)
        try elsewhere.write(testBytes(500_000), to: "large")
        let subject = try await LimitedDirectory(StorageLimits(maxTotalSize: 100_000), directory)
        #expect(try await subject.refusal(of: 40_001) == .noSpace)
        #expect(try await subject.refusal(of: 40_000) == nil)
        #expect(try await subject.upload(testBytes(40_000 - 4096), to: path("a/b")) == .stored)
        #expect(try await subject.refusal(of: 1) == .noSpace)
    }

    @Test("refuses one of two that fit alone but not together, and gives back what a failed one had")
    func together() async throws {
        let subject = try await LimitedDirectory(StorageLimits(maxTotalSize: 100_000))
        let first = try await subject.fresh(path("a"), FileAttributes(size: 60_000))
        #expect(try await subject.refusal(of: 60_000) == .noSpace)
        await first.discard(keepingPartial: false)
        #expect(try await subject.refusal(of: 60_000) == nil)
    }

    @Test("counts files in memory, and those of unknown size as they grow")
    func memoryAndGrowth() async throws {
        let subject = try await LimitedDirectory(StorageLimits(maxTotalSize: 100_000))
        let growing = try await subject.fresh(path("grows"))
        try await growing.append(ByteBuffer(bytes: testBytes(70_000)))
        #expect(subject.store.stageInMemory(try path("a"), FileAttributes(size: 30_001)) == nil)
        let small = try #require(subject.store.stageInMemory(try path("a"), FileAttributes(size: 30_000)))
        #expect(small.appendInMemory(ByteBuffer(bytes: testBytes(30_000))))
        #expect(await failureCode { try await growing.append(ByteBuffer(bytes: [1])) } == .noSpace)
        #expect(try await small.publish().outcome == .stored)
        await growing.discard(keepingPartial: false)
        #expect(try await subject.refusal(of: 70_000) == nil)
        #expect(try await subject.refusal(of: 70_001) == .noSpace)
    }

    @Test("takes the same content again where it is full: nothing is stored for that")
    func identical() async throws {
        let subject = try await LimitedDirectory(StorageLimits(maxTotalSize: 2 << 20))
        let bytes = testBytes(2 << 20)
        #expect(try await subject.upload(bytes, to: path("a")) == .stored)
        let existing = try await subject.existing(path("a"), size: bytes.count)
        #expect(try await existing.confirmDurable().outcome == .identical)
        #expect(try await subject.refusal(of: 1) == .noSpace)
    }

    @Test("finds room for the rest of a partial where there is none for all of it")
    func resuming() async throws {
        let subject = try await LimitedDirectory(StorageLimits(maxTotalSize: 3 << 20))
        let (bytes, size) = (testBytes(2 << 20), FileAttributes(size: 3 << 20))
        let first = try await subject.fresh(path("a"), size)
        try await first.append(ByteBuffer(bytes: bytes))
        first.keep()
        await first.discard(keepingPartial: true)
        #expect(try await subject.refusal(of: (1 << 20) + 1, at: "other") == .noSpace)
        guard case .partial(let rest) = try await subject.stage(path("a"), size) else { throw UnexpectedStaging() }
        #expect(rest.position == 2 << 20)
        try await rest.append(ByteBuffer(bytes: testBytes(1 << 20)))
        #expect(try await rest.publish().outcome == .stored)
        #expect(try await subject.refusal(of: 1, at: "other") == .noSpace)
    }

    @Test("leaves a partial as it was where there is no room for the rest")
    func partialIsLeft() async throws {
        let directory = try await DirectoryUnderTest()
        let free = try await LimitedDirectory(StorageLimits(), directory)
        let size = FileAttributes(size: 4 << 20)
        let first = try await free.fresh(path("a"), size)
        try await first.append(ByteBuffer(bytes: testBytes(2 << 20)))
        first.keep()
        await first.discard(keepingPartial: true)
        let subject = try await LimitedDirectory(StorageLimits(maxTotalSize: 3 << 20), directory)
        #expect(await failureCode { _ = try await subject.stage(path("a"), size) } == .noSpace)
        #expect(try subject.stagedCount() == 1)
        guard case .partial(let rest) = try await free.stage(path("a"), size) else { throw UnexpectedStaging() }
        #expect(rest.position == 2 << 20)
    }

    @Test("counts again, when a file would be refused, what its owner removed meanwhile")
    func removedByHand() async throws {
        let subject = try await LimitedDirectory(StorageLimits(maxTotalSize: 100_000))
        #expect(try await subject.upload(testBytes(80_000), to: path("a")) == .stored)
        try subject.remove(path("a"))
        #expect(try await subject.refusal(of: 80_000) == nil)
    }

    @Test("keeps the chosen part of the disk free")
    func freeSpace() async throws {
        let directory = try await DirectoryUnderTest()
        let available = try #require(try await directory.store.availableBytes())
        let none = try await LimitedDirectory(StorageLimits(minFreeSpace: available * 2), directory)
        #expect(try await none.refusal(of: 1) == .noSpace)
        #expect(none.store.stageInMemory(try path("a"), FileAttributes(size: 1)) == nil)
        #expect(try await none.refusal(of: nil) == .noSpace)
        let half = try await LimitedDirectory(StorageLimits(minFreeSpace: available / 2), directory)
        #expect(try await half.upload(testBytes(100_000), to: path("b")) == .stored)
        #expect(try await half.refusal(of: 1) == nil)
        #expect(try await half.refusal(of: available * 3 / 4) == .noSpace)
    }

    @Test("counts empty files and folders with 4 KiB each, in memory or not, and after another measurement")
    func entries() async throws {
        let directory = try await DirectoryUnderTest()
        let subject = try await LimitedDirectory(StorageLimits(maxTotalSize: 5 * 4096), directory)
        #expect(try await subject.upload([], to: path("empty")) == .stored)
        let small = try #require(subject.store.stageInMemory(try path("small"), FileAttributes(size: 0)))
        #expect(try await small.publish().outcome == .stored)
        // Two folders and a file.
        #expect(subject.store.stageInMemory(try path("a/b/c"), FileAttributes(size: 0)) == nil)
        #expect(try await subject.upload([], to: path("a/b/c")) == .stored)
        for store in [subject, try await LimitedDirectory(StorageLimits(maxTotalSize: 5 * 4096), directory)] {
            #expect(try await store.refusal(of: 0) == .noSpace)
            #expect(store.store.stageInMemory(try path("d"), FileAttributes(size: 0)) == nil)
            let folder = FileAttributes(isFolder: true)
            #expect(store.store.stageInMemory(try path("new"), folder) == nil)
            #expect(await failureCode { _ = try await store.stage(path("new"), folder) } == .noSpace)
            // One that is there takes nothing.
            guard case .fresh(let there) = try await store.stage(path("a/b"), folder) else { throw UnexpectedStaging() }
            #expect(try await there.publish().outcome == .identical)
        }
        #expect(try subject.published() == [Array("a/b/c".utf8), Array("empty".utf8), Array("small".utf8)])
    }

    @Test("refuses an empty file where too little of the disk is free")
    func emptyWithoutSpace() async throws {
        let subject = try await LimitedDirectory(StorageLimits(minFreeSpace: 900 << 40))
        #expect(try await subject.refusal(of: 0) == .noSpace)
        #expect(subject.store.stageInMemory(try path("a"), FileAttributes(size: 0)) == nil)
        #expect(try subject.published() == [])
    }
}
