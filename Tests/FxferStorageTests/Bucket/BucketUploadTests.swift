import FxferProtocol
import NIOCore
import Testing

@testable import FxferS3
@testable import FxferStorage

/// What an interrupted upload leaves in a bucket, and who goes on with it.
@Suite("In a bucket, what is left of an upload", .enabled(if: BucketUnderTest.endpoint != nil))
struct BucketUploadTests {
    typealias Sample = PartialSample

    @Test("is gone on with by another node, once its owner has let go of it")
    func otherNode() async throws {
        let node = try await BucketUnderTest()
        try await node.leave(upTo: 5 * Sample.chunk)
        let other = try await node.otherNode()
        try await other.expectResumption(at: 5 * Sample.chunk)
    }

    @Test("is taken over from a node that is silent; what that one still does harms nobody")
    func silent() async throws {
        var options = ObjectStore.Options()
        options.takeOverAfter = .seconds(1)
        let node = try await BucketUnderTest()
        let old = try await node.beginFresh()
        try await node.send(upTo: 5 * Sample.chunk, to: old)
        let other = try await node.otherNode(options: options)
        var new: StagedObject?
        while new == nil {
            // Busy, until the old one has written nothing for long enough.
            if case .fresh(let file)? = try? await other.begin() { new = file }
        }
        let file = try #require(new)
        try await other.send(to: file)
        // Its record is another's by now: neither letting go of it nor giving it up removes anything.
        await old.discard(keepingPartial: true)
        #expect(try await file.publish().outcome == .stored)
        #expect(try await node.content(at: Sample.path) == Sample.content)
        #expect(try await node.stagedCount() == 0)
    }

    @Test("is not gone on with where its tail or its record was damaged", arguments: [true, false])
    func damaged(isTail: Bool) async throws {
        let node = try await BucketUnderTest()
        try await node.leave(upTo: 5 * Sample.chunk)
        let client = node.store.client
        let prefix = isTail ? node.store.names.tails : node.store.names.uploads
        let key = try #require(try await client.list(prefix).objects.first?.key)
        var bytes = try #require(try await client.get(key, limit: 8 << 20)).body
        bytes.setInteger(UInt8(0x21), at: bytes.readerIndex + 100)
        try await client.put(key, bytes)
        try await node.expectNewBeginning()
    }

    @Test("is not gone on with where somebody was giving it up")
    func doomed() async throws {
        let node = try await BucketUnderTest()
        try await node.leave(upTo: 5 * Sample.chunk)
        let client = node.store.client
        let key = node.store.names.upload(Sample.path)
        let there = try #require(try await client.record(key, limit: UploadRecord.maxBytes))
        var record = try #require(UploadRecord(there.body))
        record.isDoomed = true
        try await client.put(key, record.encoded, .matches(try #require(there.tag)))
        try await node.otherNode().expectNewBeginning()
    }

    @Test("expires, but not before its time")
    func expiry() async throws {
        var options = ObjectStore.Options.patient
        options.keepPartialsFor = .seconds(1)
        let node = try await BucketUnderTest()
        try await node.leave(upTo: 2 * Sample.chunk)
        #expect(try await node.store.expirePartials() == 0)
        let other = try await node.otherNode(options: options)
        while try await other.store.expirePartials() == 0 { await Task.yield() }
        #expect(try await node.stagedCount() == 0)
        try await node.expectNewBeginning()
    }

    @Test("goes with the parts that were sent of it, while uploads of others stay")
    func parts() async throws {
        var options = ObjectStore.Options.patient
        options.keepPartialsFor = .seconds(1)
        let node = try await BucketUnderTest()
        let key = node.store.names.key(of: Array("a".utf8))
        let foreign = try await node.store.client.beginUpload(key, headers: [])
        let attributes = FileAttributes(size: 12 << 20, modified: FileTime(seconds: 5, nanoseconds: 0))
        guard case .fresh(let file) = try await node.store.stage(path("a"), attributes, .byDigest) else {
            throw UnexpectedStaging()
        }
        try await file.append(ByteBuffer(repeating: 1, count: 6 << 20))
        file.keep()
        await file.discard(keepingPartial: true)
        #expect(try await node.openUploads().count == 2)
        let other = try await node.otherNode(options: options)
        while try await other.store.expirePartials() == 0 { await Task.yield() }
        #expect(try await node.openUploads() == [foreign])
        try await node.store.client.abortUpload(foreign, key)
        #expect(try await node.stagedCount() == 0)
    }

    @Test("goes, the oldest first, where it is too much")
    func tooMuch() async throws {
        var options = ObjectStore.Options.patient
        options.maxPartialBytes = UInt64(3 * Sample.chunk)
        let node = try await BucketUnderTest(options: options)
        try await node.leave(upTo: 2 * Sample.chunk, of: path("old"))
        try await node.leave(upTo: 2 * Sample.chunk, of: path("new"))
        #expect(try await node.store.expirePartials() == 1)
        #expect(try await node.stagedCount() == 1)
        #expect(try await node.store.expirePartials() == 0)
    }

    @Test("of a file in parts is whole parts, whose running digest goes on")
    func wholeParts() async throws {
        let node = try await BucketUnderTest()
        let bytes = testBytes((12 << 20) + 7)
        let attributes = FileAttributes(size: UInt64(bytes.count), modified: FileTime(seconds: 5, nanoseconds: 0))
        guard case .fresh(let old) = try await node.store.stage(path("a"), attributes, .byDigest) else {
            throw UnexpectedStaging()
        }
        // An odd place: within a block of SHA-256, and not where a part begins.
        let cut = (11 << 20) + 13
        for start in stride(from: 0, to: cut, by: 1_000_003) {
            try await old.append(ByteBuffer(bytes: bytes[start..<min(start + 1_000_003, cut)]))
            old.keep()
        }
        await old.discard(keepingPartial: true)
        let other = try await node.otherNode()
        guard case .partial(let file) = try await other.store.stage(path("a"), attributes, .byDigest) else {
            throw UnexpectedStaging()
        }
        #expect(file.position == UInt64(cut))
        #expect(file.runningDigest() == sha256(bytes[..<cut]))
        try await file.append(ByteBuffer(bytes: bytes[cut...]))
        file.keep()
        #expect(try await file.publish().outcome == .stored)
        #expect(try await node.content(at: path("a")) == bytes)
        #expect(try await node.stagedCount() == 0)
    }
}
