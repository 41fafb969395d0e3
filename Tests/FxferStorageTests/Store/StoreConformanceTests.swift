import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

@Suite("Every store")
struct StoreConformanceTests {
    @Test(
        "publishes exactly what was appended",
        arguments: StoreFactory.all,
        [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1]
    )
    func sizes(factory: StoreFactory, size: Int) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let bytes = testBytes(size)
            #expect(try await subject.upload(bytes, to: path("a")) == .stored)
            #expect(try await subject.content(at: path("a")) == bytes)
            #expect(try await subject.published() == [Array("a".utf8)])
            #expect(try await subject.stagedCount() == 0)
        }
        try await check(factory.make())
    }

    @Test("shows nothing under the name before it is published", arguments: StoreFactory.all)
    func invisible(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let file = try await subject.fresh(path("a/b"))
            try await file.append(ByteBuffer(bytes: testBytes(1000)))
            #expect(try await subject.published() == [])
            #expect(try await subject.stagedCount() == 1)
            await file.discard(keepingPartial: false)
            await file.discard(keepingPartial: false)
            #expect(try await subject.published() == [])
            #expect(try await subject.stagedCount() == 0)
        }
        try await check(factory.make())
    }

    @Test("tells position and running digest of what was appended", arguments: StoreFactory.all)
    func running(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let bytes = testBytes(3000)
            let file = try await subject.fresh(path("a"))
            #expect(file.runningDigest() == Digest.ofNothing)
            for end in [1000, 2000, 3000] {
                try await file.append(ByteBuffer(bytes: bytes[(end - 1000)..<end]))
                #expect(file.position == UInt64(end))
                #expect(file.runningDigest() == sha256(bytes[..<end]))
            }
            await file.discard(keepingPartial: false)
        }
        try await check(factory.make())
    }

    @Test(
        "publishes none of what was taken back",
        arguments: StoreFactory.all,
        [(kept: 0, bad: 5000, good: 100), (1000, 5000, 100), (1000, 100, 5000), (1000, 5000, 0)]
    )
    func rewind(factory: StoreFactory, sizes: (kept: Int, bad: Int, good: Int)) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let kept = testBytes(sizes.kept, seed: 1)
            let good = testBytes(sizes.good, seed: 3)
            let file = try await subject.fresh(path("a"))
            try await file.append(ByteBuffer(bytes: kept))
            file.keep()
            try await file.append(ByteBuffer(bytes: testBytes(sizes.bad, seed: 2)))
            file.rewind()
            #expect(file.position == UInt64(sizes.kept))
            #expect(file.runningDigest() == sha256(kept))
            try await file.append(ByteBuffer(bytes: good))
            #expect(file.runningDigest() == sha256(kept + good))
            #expect(try await file.publish().outcome == .stored)
            #expect(try await subject.content(at: path("a")) == kept + good)
        }
        try await check(factory.make())
    }

    @Test("forgets a staged file that nobody refers to any more", arguments: StoreFactory.all)
    func forgotten(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            try await subject.fresh(path("a")).append(ByteBuffer(bytes: testBytes(1000)))
            #expect(try await subject.stagedCount() == 0)
            #expect(try await subject.published() == [])
        }
        try await check(factory.make())
    }

    @Test("publishes even in a cancelled task: nobody waits in vain for the outcome", arguments: StoreFactory.all)
    func cancelled(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let file = try await subject.fresh(path("a"))
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await file.publish().outcome
            }
            #expect(try await task.value == .stored)
            #expect(try await subject.stagedCount() == 0)
            #expect(try await subject.published() == [Array("a".utf8)])
        }
        try await check(factory.make())
    }

    @Test("takes a file neither twice nor after it was given up", arguments: StoreFactory.all)
    func ended(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let published = try await subject.fresh(path("a"))
            #expect(try await published.publish().outcome == .stored)
            let discarded = try await subject.fresh(path("b"))
            await discarded.discard(keepingPartial: false)
            for file in [published, discarded] {
                #expect(await failureCode { try await file.append(ByteBuffer(bytes: [1])) } == .internal)
                #expect(await failureCode { _ = try await file.publish() } == .internal)
                await file.discard(keepingPartial: false)
            }
            #expect(try await subject.published() == [Array("a".utf8)])
            #expect(try await subject.content(at: path("a")) == [])
        }
        try await check(factory.make())
    }

    @Test("refuses a size for which there is no room before anything is written", arguments: StoreFactory.all)
    func noRoom(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            for size in [1 << 59, UInt64.max] {
                let code = await failureCode { _ = try await subject.fresh(path("a"), FileAttributes(size: size)) }
                #expect(code == .noSpace)
            }
            #expect(try await subject.stagedCount() == 0)
            #expect(try await subject.published() == [])
        }
        try await check(factory.make())
    }
}
