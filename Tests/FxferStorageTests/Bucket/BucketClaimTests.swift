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

    private static let dead = Array("of the dead".utf8)

    /// Begins as a node that dies before it completes its upload: answers what it would complete.
    ///
    /// - Parameter isWhole: whether the claim is of the parts that are there.
    private static func leaveClaim(
        _ node: BucketUnderTest,
        on path: RelativePath,
        _ state: Claim.State,
        isWhole: Bool = true
    ) async throws -> (claim: Claim, parts: [StoredPart]) {
        let client = node.store.client
        let key = node.store.names.key(of: path.bytes)
        let id = RandomID.make()
        let metadata = ObjectMetadata(id: id, modified: .now(), permissions: 0o644)
        let upload = try await client.beginUpload(key, headers: metadata.headers)
        let parts = [try await client.putPart(1, of: upload, key, ByteBuffer(bytes: Self.dead))]
        let content = ObjectMetadata.Content(
            size: UInt64(Self.dead.count),
            digest: sha256(Self.dead),
            stored: .now(),
            durability: .durable,
            entry: "none",
            entryHash: .zero
        )
        let claim = Claim(
            state: state,
            owner: RandomID.make(),
            id: id,
            upload: upload,
            parts: isWhole ? UploadRecord.digest(of: parts) : .zero,
            content: content
        )
        try await client.put(node.store.names.claim(path), claim.encoded, .absent)
        return (claim, parts)
    }

    /// As its node would, were it only stopped.
    private static func complete(_ claim: Claim, _ parts: [StoredPart], _ node: BucketUnderTest, _ path: RelativePath)
        async throws
    {
        let key = node.store.names.key(of: path.bytes)
        // As a store does that does not look at the condition.
        try await node.store.client.completeUpload(claim.upload, key, parts, isNew: false)
    }

    private static func state(_ node: BucketUnderTest, _ path: RelativePath) async throws -> Claim.State? {
        try await node.store.claims.claim(of: path)?.claim?.state
    }

    private static func upload(_ bytes: [UInt8], to path: RelativePath, _ node: BucketUnderTest) async throws
        -> Publication.Outcome
    {
        try await node.upload(bytes, to: path, piece: 1 << 20)
    }

    /// Of more than one part, or of less than one.
    private static func bytes(_ isLarge: Bool) -> [UInt8] { isLarge ? large : testBytes(1000) }

    @Test(
        "is the dead one's where it had found the name free: its upload is completed for it",
        arguments: [true, false]
    )
    func active(isLarge: Bool) async throws {
        for state in [Claim.State.active, .left] {
            let node = try await Self.node()
            let name = try path("a/b")
            let (claim, parts) = try await Self.leaveClaim(node, on: name, state)
            #expect(await failureCode { _ = try await Self.upload(Self.bytes(isLarge), to: name, node) } == .exists)
            #expect(try await node.content(at: name) == Self.dead)
            #expect(try await Self.state(node, name) == .done)
            // Its own request comes late, and does nothing, whatever the store answers.
            try? await Self.complete(claim, parts, node, name)
            #expect(try await node.content(at: name) == Self.dead)
            // The same sent again gets its line in the ledger.
            #expect(try await node.upload(Self.dead, to: name) == .identical)
            #expect(try await node.store.ledger.read().entries.keys.map(\.bytes) == [name.bytes])
            #expect(try await node.stagedCount() == 0)
        }
    }

    @Test("is given to the next one where the dead one had not looked at it yet", arguments: [true, false])
    func wanted(isLarge: Bool) async throws {
        let node = try await Self.node()
        let name = try path("a")
        let (claim, _) = try await Self.leaveClaim(node, on: name, .wanted)
        #expect(try await Self.upload(Self.bytes(isLarge), to: name, node) == .stored)
        #expect(try await node.content(at: name) == Self.bytes(isLarge))
        #expect(try await Self.state(node, name) == (isLarge ? .done : .void))
        try await node.store.client.abortUpload(claim.upload, node.store.names.key(of: name.bytes))
        #expect(try await node.stagedCount() == 0)
    }

    @Test("is given to the next one where the upload has other parts than were claimed", arguments: [true, false])
    func otherParts(isLarge: Bool) async throws {
        let node = try await Self.node()
        let name = try path("a")
        _ = try await Self.leaveClaim(node, on: name, .active, isWhole: false)
        #expect(try await Self.upload(Self.bytes(isLarge), to: name, node) == .stored)
        #expect(try await node.content(at: name) == Self.bytes(isLarge))
        #expect(try await node.stagedCount() == 0)
    }

    @Test("is given to the next one where the upload is gone", arguments: [true, false])
    func gone(isLarge: Bool) async throws {
        let node = try await Self.node()
        let name = try path("a")
        let (claim, _) = try await Self.leaveClaim(node, on: name, .active)
        try await node.store.client.abortUpload(claim.upload, node.store.names.key(of: name.bytes))
        #expect(try await Self.upload(Self.bytes(isLarge), to: name, node) == .stored)
        #expect(try await node.content(at: name) == Self.bytes(isLarge))
        #expect(try await node.stagedCount() == 0)
    }

    @Test("is the dead one's where it had completed the upload", arguments: [true, false])
    func completed(isLarge: Bool) async throws {
        let node = try await Self.node()
        let name = try path("a")
        let (claim, parts) = try await Self.leaveClaim(node, on: name, .active)
        try await Self.complete(claim, parts, node, name)
        #expect(await failureCode { _ = try await Self.upload(Self.bytes(isLarge), to: name, node) } == .exists)
        #expect(try await node.content(at: name) == Self.dead)
        #expect(try await node.upload(Self.dead, to: name) == .identical)
        #expect(try await node.store.ledger.read().entries.keys.map(\.bytes) == [name.bytes])
        #expect(try await node.stagedCount() == 0)
    }

    @Test("is lost to a small file that waits, when the claim's owner completes after all")
    func overtaken() async throws {
        var options = ObjectStore.Options.patient
        options.claimLimit = .seconds(600)
        let node = try await BucketUnderTest(options: options)
        let name = try path("a")
        let (claim, parts) = try await Self.leaveClaim(node, on: name, .active)
        async let loser = failureCode { _ = try await node.upload(testBytes(1000), to: name) }
        while try await node.content(at: name) == nil { await Task.yield() }
        try await Self.complete(claim, parts, node, name)
        let (found, tag) = try #require(try await node.store.claims.claim(of: name).map { ($0.claim, $0.tag) })
        let done = try #require(found?.with(.done))
        _ = try await node.store.claims.write(done, of: name, .matches(tag))
        #expect(await loser == .exists)
        #expect(try await node.content(at: name) == Self.dead)
        #expect(try await node.store.ledger.read().entries.isEmpty)
    }

    @Test("is free at once where the claim was withdrawn, and the claim says nothing of any object")
    func withdrawn() async throws {
        var options = ObjectStore.Options.patient
        options.claimLimit = .seconds(600)
        let node = try await BucketUnderTest(options: options)
        let name = try path("a")
        let (claim, _) = try await Self.leaveClaim(node, on: name, .void)
        #expect(try await Self.upload(Self.large, to: name, node) == .stored)
        #expect(try await node.content(at: name) == Self.large)
        try await node.store.client.abortUpload(claim.upload, node.store.names.key(of: name.bytes))
        #expect(try await node.stagedCount() == 0)
    }

    private static let attributes = FileAttributes(
        size: UInt64(large.count),
        modified: FileTime(seconds: 5, nanoseconds: 0)
    )

    /// A record of the claim's upload, of which somebody has let go.
    private static func leaveRecord(_ claim: Claim, _ node: BucketUnderTest, _ name: RelativePath) async throws {
        let record = UploadRecord(
            owner: RandomID.make(),
            isFree: true,
            path: name,
            target: name,
            size: Self.attributes.size,
            modified: Self.attributes.modified,
            id: claim.id,
            upload: claim.upload
        )
        try await node.store.client.put(node.store.names.upload(name), record.encoded, .absent)
    }

    @Test("is lost to whoever takes its upload over before it has looked at the name")
    func stopped() async throws {
        let node = try await BucketUnderTest()
        let name = try path("a")
        let (claim, _) = try await Self.leaveClaim(node, on: name, .wanted)
        let tag = try #require(try await node.store.claims.claim(of: name)?.tag)
        try await Self.leaveRecord(claim, node, name)
        guard case .fresh(let file) = try await node.store.stage(name, Self.attributes, .byDigest) else {
            throw UnexpectedStaging()
        }
        // Its owner wakes up.
        #expect(try await node.store.claims.write(claim.with(.active), of: name, .matches(tag)) == nil)
        try await file.append(ByteBuffer(bytes: Self.large))
        file.keep()
        #expect(try await file.publish().outcome == .stored)
        #expect(try await node.content(at: name) == Self.large)
        #expect(try await node.stagedCount() == 0)
    }

    @Test("makes whoever takes its upload over complete it, not give it up")
    func takenOver() async throws {
        let node = try await BucketUnderTest()
        let attributes = Self.attributes
        let name = try path("a")
        let (claim, _) = try await Self.leaveClaim(node, on: name, .left)
        try await Self.leaveRecord(claim, node, name)
        await #expect(throws: FxferError.self) { _ = try await node.store.stage(name, attributes, .byDigest) }
        #expect(try await node.content(at: name) == Self.dead)
        #expect(try await node.stagedCount() == 0)
    }
}
