import FxferProtocol
import NIOCore
import Testing

@testable import FxferS3
@testable import FxferStorage

/// What a node leaves that dies while it gives a name to an upload in parts.
@Suite("In a bucket, a name that another node has claimed", .enabled(if: BucketUnderTest.endpoint != nil))
struct BucketClaimTests {
    /// Of more than one part.
    static let large = testBytes((6 << 20) + 5)

    private static func node() async throws -> BucketUnderTest {
        var options = ObjectStore.Options.patient
        // By the store's clock, which tells whole seconds.
        options.claimLimit = .seconds(1)
        return try await BucketUnderTest(options: options)
    }

    /// Begins as a node that dies before it completes its upload: answers what it would complete.
    private static func leaveClaim(
        _ node: BucketUnderTest,
        on path: RelativePath,
        state: Claim.State = .active
    ) async throws -> (claim: Claim, part: StoredPart) {
        let client = node.store.client
        let key = node.store.names.key(of: path.bytes)
        let id = RandomID.make()
        let metadata = ObjectMetadata(id: id, modified: .now(), permissions: 0o644)
        let upload = try await client.beginUpload(key, headers: metadata.headers)
        let part = try await client.putPart(1, of: upload, key, ByteBuffer(string: "of the dead"))
        let content = ObjectMetadata.Content(
            size: 11,
            digest: sha256(Array("of the dead".utf8)),
            stored: .now(),
            durability: .durable,
            entry: "none",
            entryHash: .zero
        )
        let claim = Claim(state: state, id: id, upload: upload, content: content)
        try await client.put(node.store.names.claim(path), claim.encoded, .absent)
        return (claim, part)
    }

    private static func upload(_ bytes: [UInt8], to path: RelativePath, _ node: BucketUnderTest) async throws
        -> Publication.Outcome
    {
        try await node.upload(bytes, to: path, piece: 1 << 20)
    }

    @Test("is given to the next one when its claim is not renewed, and the dead can complete nothing any more")
    func takenOver() async throws {
        let node = try await Self.node()
        let name = try path("a/b")
        let (claim, part) = try await Self.leaveClaim(node, on: name)
        #expect(try await Self.upload(Self.large, to: name, node) == .stored)
        let key = node.store.names.key(of: name.bytes)
        await #expect(throws: S3Error.self) {
            try await node.store.client.completeUpload(claim.upload, key, [part], isNew: true)
        }
        #expect(try await node.content(at: name) == Self.large)
        #expect(try await node.stagedCount() == 0)
        #expect(try await node.store.claim(of: name)?.claim?.state == .done)
    }

    @Test("is the dead one's where it had completed the upload", arguments: [true, false])
    func completed(isLarge: Bool) async throws {
        let node = try await Self.node()
        let name = try path("a")
        let (claim, part) = try await Self.leaveClaim(node, on: name)
        let key = node.store.names.key(of: name.bytes)
        try await node.store.client.completeUpload(claim.upload, key, [part], isNew: true)
        let bytes = isLarge ? Self.large : testBytes(1000)
        #expect(await failureCode { _ = try await Self.upload(bytes, to: name, node) } == .exists)
        #expect(try await node.content(at: name) == Array("of the dead".utf8))
        // The same once more is known by the claim, without being read, and gets its line in the ledger.
        #expect(try await node.upload(Array("of the dead".utf8), to: name) == .identical)
        #expect(try await node.store.ledger.read().entries.keys.map(\.bytes) == [name.bytes])
        #expect(try await node.stagedCount() == 0)
    }

    @Test("is a small file's when the claim is not renewed")
    func small() async throws {
        let node = try await Self.node()
        let name = try path("a")
        let (claim, part) = try await Self.leaveClaim(node, on: name)
        #expect(try await node.upload(testBytes(1000), to: name) == .stored)
        let key = node.store.names.key(of: name.bytes)
        await #expect(throws: S3Error.self) {
            try await node.store.client.completeUpload(claim.upload, key, [part], isNew: false)
        }
        #expect(try await node.content(at: name) == testBytes(1000))
        #expect(try await node.stagedCount() == 0)
    }

    @Test("is lost to a small file that waits, when the claim's owner completes after all")
    func overtaken() async throws {
        var options = ObjectStore.Options.patient
        options.claimLimit = .seconds(600)
        let node = try await BucketUnderTest(options: options)
        let name = try path("a")
        let (claim, part) = try await Self.leaveClaim(node, on: name)
        async let loser = failureCode { _ = try await node.upload(testBytes(1000), to: name) }
        while try await node.content(at: name) == nil { await Task.yield() }
        let key = node.store.names.key(of: name.bytes)
        // As a store does that does not look at the condition.
        try await node.store.client.completeUpload(claim.upload, key, [part], isNew: false)
        #expect(await loser == .exists)
        #expect(try await node.content(at: name) == Array("of the dead".utf8))
        #expect(try await node.store.ledger.read().entries.isEmpty)
    }

    @Test("is free at once where the claim was withdrawn")
    func withdrawn() async throws {
        var options = ObjectStore.Options.patient
        options.claimLimit = .seconds(600)
        let node = try await BucketUnderTest(options: options)
        let name = try path("a")
        let (claim, _) = try await Self.leaveClaim(node, on: name, state: .void)
        #expect(try await Self.upload(Self.large, to: name, node) == .stored)
        #expect(try await node.content(at: name) == Self.large)
        try await node.store.client.abortUpload(claim.upload, node.store.names.key(of: name.bytes))
        #expect(try await node.stagedCount() == 0)
    }
}
