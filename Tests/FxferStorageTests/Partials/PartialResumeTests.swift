import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A partial of a directory store")
struct PartialResumeTests {
    typealias Sample = PartialSample

    @Test("survives a killed server; only the last chunk may have to be sent again")
    func killed() async throws {
        let subject = try await DirectoryUnderTest()
        let file = try await subject.beginFresh()
        try await subject.send(upTo: 5 * Sample.chunk, to: file)
        let next = try await DirectoryUnderTest(in: subject.killed())
        #expect(next.store.leftoversRemoved == 0)
        try await next.expectResumption(at: 4 * Sample.chunk)
        await file.discard(keepingPartial: false)
    }

    @Test("is gone on with as often as it takes, over restarts of the server")
    func often() async throws {
        let folder = try TemporaryFolder()
        try await DirectoryUnderTest(in: folder).leave(upTo: Sample.chunk)
        for count in 2...5 {
            let subject = try await DirectoryUnderTest(in: folder)
            let file = try await subject.resume()
            #expect(file.position == UInt64((count - 1) * Sample.chunk))
            try await subject.send(upTo: count * Sample.chunk, to: file)
            await file.discard(keepingPartial: true)
        }
        try await DirectoryUnderTest(in: folder).expectResumption(at: 5 * Sample.chunk)
    }

    @Test("is published with attributes, and leaves neither journal nor lock")
    func published() async throws {
        let subject = try await DirectoryUnderTest()
        try await subject.leave(upTo: 3 * Sample.chunk)
        try await subject.expectResumption(at: 3 * Sample.chunk)
        #expect(try subject.partialFiles() == [])
        #expect(try subject.folder.status(of: "a/b")?.permissions == 0o640)
        #expect(try subject.folder.status(of: "a/b")?.stamp.modified == Sample.attributes.modified)
        #expect(try openDescriptors(below: subject.folder("a/b")) == 0)
    }

    @Test("goes with its journal when publishing fails")
    func notPublished() async throws {
        let subject = try await DirectoryUnderTest()
        try await subject.leave(upTo: 3 * Sample.chunk)
        let file = try await subject.resume()
        try subject.folder.makeFolder("a")
        try subject.put([1], at: Sample.path)
        try await subject.send(to: file)
        #expect(await failureCode { _ = try await file.publish() } == .exists)
        #expect(try subject.content(at: Sample.path) == [1])
        #expect(try subject.partialFiles() == [])
    }

    @Test(
        "is only kept of files of more than 1 MiB whose sender waits",
        arguments: [
            (1 << 20, Comparison.byDigest, false), ((1 << 20) + 1, .byDigest, true),
            ((1 << 20) + 1, .bySizeAndTime, true), ((1 << 20) + 1, .afterwards, false), (nil, .byDigest, false),
        ] as [(UInt64?, Comparison, Bool)]
    )
    func resumable(size: UInt64?, comparison: Comparison, isResumable: Bool) async throws {
        let subject = try await DirectoryUnderTest()
        let staging = try await subject.store.stage(Sample.path, FileAttributes(size: size), comparison)
        guard case .fresh(let file) = staging else { throw UnexpectedStaging() }
        try await file.append(ByteBuffer(bytes: [1, 2, 3]))
        file.keep()
        await file.discard(keepingPartial: true)
        #expect(try subject.partialFiles() == (isResumable ? [Sample.journal, Sample.part] : []))
        #expect(try subject.published() == [])
    }

    @Test("is not offered to a sender who does not wait, and stays")
    func afterwards() async throws {
        let subject = try await DirectoryUnderTest()
        try await subject.leave(upTo: 3 * Sample.chunk)
        let staging = try await subject.store.stage(Sample.path, Sample.attributes, .afterwards)
        guard case .fresh(let file) = staging else { throw UnexpectedStaging() }
        await file.discard(keepingPartial: true)
        try await subject.expectResumption(at: 3 * Sample.chunk)
    }

    @Test("stays as it is where its verification is cancelled")
    func cancelled() async throws {
        let subject = try await DirectoryUnderTest()
        try await subject.leave(upTo: 3 * Sample.chunk)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try await subject.begin()
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        try await subject.expectResumption(at: 3 * Sample.chunk)
    }

    @Test("never mixes what was sent before and after a new beginning, even where the server is killed then")
    func restarted() async throws {
        let subject = try await DirectoryUnderTest()
        try await subject.leave(upTo: 8 * Sample.chunk)
        let file = try await subject.resume()
        file.restart()
        #expect(file.position == 0)
        let other = testBytes(2 * Sample.chunk, seed: 2)
        try await file.append(ByteBuffer(bytes: other[..<Sample.chunk]))
        file.keep()
        try await file.append(ByteBuffer(bytes: other[Sample.chunk...]))
        #expect(file.runningDigest() == sha256(other))
        let next = try await DirectoryUnderTest(in: subject.killed())
        guard case .partial(let rest) = try await next.begin() else { throw UnexpectedStaging() }
        #expect(rest.position == UInt64(Sample.chunk))
        #expect(rest.runningDigest() == sha256(other[..<Sample.chunk]))
        #expect(try next.published() == [])
        await rest.discard(keepingPartial: false)
        #expect(try await file.publish().outcome == .stored)
        #expect(try subject.content(at: Sample.path) == other)
        #expect(try subject.partialFiles() == [])
    }

    @Test("keeps nothing of a file that was begun anew and given up before data came")
    func restartedAndLeft() async throws {
        let subject = try await DirectoryUnderTest()
        try await subject.leave(upTo: 3 * Sample.chunk)
        let file = try await subject.resume()
        file.restart()
        await file.discard(keepingPartial: true)
        #expect(try subject.partialFiles() == [])
        #expect(try subject.published() == [])
    }
}
