import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

@Suite("Every store, where the name is taken,")
struct StoreCollisionTests {
    /// More than a store's default for comparing before data is sent.
    static let large = (1 << 20) + 1

    @Test("refuses another size at once", arguments: StoreFactory.all, [0, 999, 1001, large])
    func otherSize(factory: StoreFactory, size: Int) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            try await subject.put(testBytes(1000), at: path("a"))
            let code = await failureCode {
                _ = try await subject.stage(path("a"), FileAttributes(size: UInt64(size)))
            }
            #expect(code == .exists)
            #expect(try await subject.content(at: path("a")) == testBytes(1000))
            #expect(try await subject.stagedCount() == 0)
        }
        try await check(factory.make())
    }

    @Test(
        "refuses to publish other content of any size and changes nothing",
        arguments: StoreFactory.all,
        [1000, 1001]
    )
    func otherContent(factory: StoreFactory, size: Int) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            try await subject.put(testBytes(1000), at: path("a"))
            let file = try await subject.fresh(path("a"))
            try await file.append(ByteBuffer(bytes: testBytes(size, seed: 2)))
            #expect(await failureCode { _ = try await file.publish() } == .exists)
            #expect(try await subject.content(at: path("a")) == testBytes(1000))
            #expect(try await subject.stagedCount() == 0)
        }
        try await check(factory.make())
    }

    @Test("tells a small file with the same bytes when it is published", arguments: StoreFactory.all, [0, 1000])
    func identical(factory: StoreFactory, size: Int) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let bytes = testBytes(size)
            #expect(try await subject.upload(bytes, to: path("a/b")) == .stored)
            #expect(try await subject.upload(bytes, to: path("a/b")) == .identical)
            #expect(try await subject.content(at: path("a/b")) == bytes)
            #expect(try await subject.stagedCount() == 0)
        }
        try await check(factory.make())
    }

    @Test("compares a large file of the same size before any data is sent", arguments: StoreFactory.all)
    func existing(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let bytes = testBytes(Self.large)
            try await subject.put(bytes, at: path("a"))
            let file = try await subject.existing(path("a"), size: Self.large)
            #expect(file.size == UInt64(Self.large))
            #expect(file.digest == sha256(bytes))
            #expect(try await file.confirmDurable().outcome == .identical)
            #expect(try await subject.content(at: path("a")) == bytes)
            #expect(try await subject.stagedCount() == 0)
        }
        try await check(factory.make())
    }

    @Test(
        "does not confirm a file that was changed, replaced or removed since",
        arguments: StoreFactory.all,
        [0, 1, 2]
    )
    func notConfirmed(factory: StoreFactory, change: Int) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            try await subject.put(testBytes(Self.large), at: path("a"))
            let file = try await subject.existing(path("a"), size: Self.large)
            if change > 0 { try await subject.remove(path("a")) }
            if change < 2 { try await subject.put(testBytes(Self.large, seed: 2), at: path("a")) }
            #expect(await failureCode { _ = try await file.confirmDurable() } == .io)
        }
        try await check(factory.make())
    }

    @Test("refuses a path below a file", arguments: StoreFactory.all)
    func belowFile(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            try await subject.put(testBytes(10), at: path("a"))
            #expect(await failureCode { _ = try await subject.fresh(path("a/b")) } == .cannotCreate)
            #expect(await failureCode { _ = try await subject.fresh(path("a/b/c")) } == .cannotCreate)
            #expect(try await subject.published() == [Array("a".utf8)])
            #expect(try await subject.stagedCount() == 0)
        }
        try await check(factory.make())
    }

    @Test("lets exactly one of fifty publishers of one name win, whole", arguments: StoreFactory.all)
    func race(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let contents = (0..<50).map { testBytes(10_000, seed: UInt64($0)) }
            let winners = await withTaskGroup(of: Int?.self) { group in
                for (index, bytes) in contents.enumerated() {
                    group.addTask {
                        let publication = try? await subject.upload(bytes, to: path("a/b"))
                        return publication == .stored ? index : nil
                    }
                }
                return await group.reduce(into: [Int]()) { if let winner = $1 { $0.append(winner) } }
            }
            #expect(winners.count == 1)
            #expect(try await subject.content(at: path("a/b")) == winners.first.map { contents[$0] })
            #expect(try await subject.published() == [Array("a/b".utf8)])
            #expect(try await subject.stagedCount() == 0)
        }
        try await check(factory.make())
    }

    @Test("stores one of fifty identical files and tells the others so", arguments: StoreFactory.all)
    func identicalRace(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let bytes = testBytes(10_000)
            let publications = try await withThrowingTaskGroup(of: Publication.Outcome.self) { group in
                for _ in 0..<50 {
                    group.addTask { try await subject.upload(bytes, to: path("a/b")) }
                }
                return try await group.reduce(into: [Publication.Outcome]()) { $0.append($1) }
            }
            #expect(publications.count { $0 == .stored } == 1)
            #expect(publications.count { $0 == .identical } == 49)
            #expect(try await subject.content(at: path("a/b")) == bytes)
            #expect(try await subject.stagedCount() == 0)
        }
        try await check(factory.make())
    }

    @Test("shows a reader the whole file or none while it publishes", arguments: StoreFactory.all)
    func reader(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            for round in 0..<20 {
                let bytes = testBytes(200_000, seed: UInt64(round))
                let name = try path("file\(round)")
                async let publication = subject.upload(bytes, to: name)
                var seen: [UInt8]?
                while seen == nil {
                    seen = try await subject.content(at: name)
                    await Task.yield()
                }
                #expect(seen == bytes)
                #expect(try await publication == .stored)
            }
        }
        try await check(factory.make())
    }
}
