import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

@Suite("Every store, given a file that was sent in part before,")
struct StorePartialTests {
    typealias Sample = PartialSample

    @Test("offers what is verified, and goes on from there", arguments: StoreFactory.all, [1, 5, 12])
    func resumption(factory: StoreFactory, chunks: Int) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            try await subject.leave(upTo: chunks * Sample.chunk)
            try await subject.expectResumption(at: chunks * Sample.chunk)
        }
        try await check(factory.make())
    }

    @Test("offers nothing that was appended and not verified", arguments: StoreFactory.all)
    func notVerified(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let file = try await subject.beginFresh()
            try await subject.send(upTo: 2 * Sample.chunk, to: file)
            try await file.append(ByteBuffer(bytes: testBytes(150_000, seed: 2)))
            await file.discard(keepingPartial: true)
            try await subject.expectResumption(at: 2 * Sample.chunk)
        }
        try await check(factory.make())
    }

    @Test("forgets a part that the sender does not have, and receives from 0 on", arguments: StoreFactory.all)
    func restart(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let file = try await subject.beginFresh()
            try await file.append(ByteBuffer(bytes: testBytes(150_000, seed: 2)))
            file.keep()
            await file.discard(keepingPartial: true)
            guard case .partial(let rest) = try await subject.begin() else { throw UnexpectedStaging() }
            rest.restart()
            #expect(rest.position == 0)
            #expect(rest.runningDigest() == .ofNothing)
            try await subject.send(to: rest)
            #expect(try await rest.publish().outcome == .stored)
            #expect(try await subject.content(at: Sample.path) == Sample.content)
            #expect(try await subject.stagedCount() == 0)
        }
        try await check(factory.make())
    }

    @Test("keeps no part of a file that was given up without one", arguments: StoreFactory.all)
    func dropped(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            try await subject.leave(upTo: 2 * Sample.chunk)
            await (try subject.resume()).discard(keepingPartial: false)
            #expect(try await subject.stagedCount() == 0)
            try await subject.expectNewBeginning()
        }
        try await check(factory.make())
    }

    @Test("tells a second sender of the same file to try again", arguments: StoreFactory.all)
    func busy(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            let file = try await subject.beginFresh()
            #expect(await failureCode { _ = try await subject.begin() } == .busy)
            #expect(try await subject.stagedCount() == 1)
            await file.discard(keepingPartial: false)
            try await subject.expectNewBeginning()
        }
        try await check(factory.make())
    }

    @Test("takes back to the offered offset, not to 0, what does not verify after it", arguments: StoreFactory.all)
    func rewind(factory: StoreFactory) async throws {
        func check(_ subject: some StoreUnderTest) async throws {
            try await subject.leave(upTo: 2 * Sample.chunk)
            let file = try await subject.resume()
            try await file.append(ByteBuffer(bytes: testBytes(150_000, seed: 2)))
            file.rewind()
            #expect(file.position == UInt64(2 * Sample.chunk))
            try await subject.send(to: file)
            #expect(try await file.publish().outcome == .stored)
            #expect(try await subject.content(at: Sample.path) == Sample.content)
        }
        try await check(factory.make())
    }
}
