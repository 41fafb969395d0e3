import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A partial that two connections want")
struct PartialHolderTests {
    typealias Sample = PartialSample

    @Test(
        "belongs to the first, in this server as in another; the second is told to try again",
        arguments: [true, false]
    )
    func busy(isSameServer: Bool) async throws {
        let folder = try TemporaryFolder()
        let first = try await DirectoryUnderTest(in: folder)
        let second = isSameServer ? first : try await DirectoryUnderTest(in: folder)
        let file = try await first.beginFresh()
        try await first.send(upTo: 3 * Sample.chunk, to: file)
        #expect(await failureCode { _ = try await second.begin() } == .busy)
        #expect(try first.published() == [])
        try await first.send(to: file)
        #expect(try await file.publish().outcome == .stored)
        #expect(try first.content(at: Sample.path) == Sample.content)
        #expect(try first.partialFiles() == [])
    }

    @Test("is taken over from a connection that died without a word, with all that is verified")
    func takenOver() async throws {
        var options = DirectoryStore.Options()
        options.takeOverAfter = .zero
        let subject = try await DirectoryUnderTest(options: options)
        let old = try await subject.beginFresh()
        try await subject.send(upTo: 3 * Sample.chunk, to: old)
        try await old.append(ByteBuffer(bytes: [1, 2, 3]))
        let new = try await subject.resume()
        #expect(new.position == UInt64(3 * Sample.chunk))
        #expect(await failureCode { try await old.append(ByteBuffer(bytes: [4])) } == .busy)
        #expect(await failureCode { _ = try await old.publish() } == .busy)
        await old.discard(keepingPartial: false)
        #expect(try subject.published() == [])
        try await subject.send(to: new)
        #expect(try await new.publish().outcome == .stored)
        #expect(try subject.content(at: Sample.path) == Sample.content)
        #expect(try subject.partialFiles() == [])
    }

    @Test("is not taken over from another server, however long that is silent")
    func otherServer() async throws {
        var options = DirectoryStore.Options()
        options.takeOverAfter = .zero
        let folder = try TemporaryFolder()
        let first = try await DirectoryUnderTest(in: folder, options: options)
        let second = try await DirectoryUnderTest(in: folder, options: options)
        let file = try await first.beginFresh()
        #expect(await failureCode { _ = try await second.begin() } == .busy)
        await file.discard(keepingPartial: false)
        try await second.expectNewBeginning()
    }

    @Test("goes to one of twenty who take it from each other all the time, and is published whole")
    func contended() async throws {
        var options = DirectoryStore.Options()
        options.takeOverAfter = .zero
        let subject = try await DirectoryUnderTest(options: options)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    _ = await failureCode {
                        switch try await subject.begin() {
                        case .fresh(let file), .partial(let file):
                            try await subject.send(to: file)
                            _ = try await file.publish()
                        case .existing(let file, _, _):
                            #expect(file.digest == sha256(Sample.content))
                        case .unchanged: break
                        }
                    }
                }
            }
        }
        if try subject.content(at: Sample.path) == nil {
            switch try await subject.begin() {
            case .fresh(let file), .partial(let file):
                try await subject.send(to: file)
                _ = try await file.publish()
            case .existing, .unchanged: throw UnexpectedStaging()
            }
        }
        #expect(try subject.content(at: Sample.path) == Sample.content)
        #expect(try subject.partialFiles() == [])
    }

    @Test("is left alone by servers that start and by lists, while it is in use")
    func sweeps() async throws {
        let folder = try TemporaryFolder()
        let subject = try await DirectoryUnderTest(in: folder)
        let file = try await subject.beginFresh()
        #expect(try await DirectoryUnderTest(in: folder).store.leftoversRemoved == 0)
        #expect(try await subject.store.expirePartials() == 0)
        try await subject.send(to: file)
        #expect(try await file.publish().outcome == .stored)
        #expect(try subject.content(at: Sample.path) == Sample.content)
    }

    @Test("is never lost by starting servers, expiry and lists meanwhile")
    func race() async throws {
        let folder = try TemporaryFolder()
        let subject = try await DirectoryUnderTest(in: folder)
        let others = Task.detached {
            while !Task.isCancelled {
                _ = try await DirectoryUnderTest(in: folder).store.expirePartials()
                _ = try await DirectoryStore.partials(in: Array(folder.path.utf8))
            }
        }
        try await subject.leave(upTo: Sample.chunk)
        for count in 2...12 {
            let file = try await subject.resume()
            #expect(file.position == UInt64((count - 1) * Sample.chunk))
            try await subject.send(upTo: count * Sample.chunk, to: file)
            await file.discard(keepingPartial: true)
        }
        others.cancel()
        _ = try? await others.value
        try await subject.expectResumption(at: 12 * Sample.chunk)
    }
}
