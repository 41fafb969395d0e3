import FxferProtocol
import FxferStorage
import NIOCore

extension ObjectStore {
    /// Opens a bucket, once it has shown that it keeps what names depend on.
    ///
    /// - Throws: `.cannotConnect`, `.noInput` where there is no such bucket, `.notPermitted` where the key is wrong or may
    ///   not do what is needed, `.io` where the store does not keep conditions or digests; `CancellationError`.
    package static func open(
        _ bucket: Bucket,
        _ credentials: CredentialsSource,
        _ requests: S3Client.Options = S3Client.Options(),
        options: Options = Options()
    ) async throws -> ObjectStore {
        let store = ObjectStore(try S3Client(bucket, credentials, requests), options)
        do {
            try await StoreProbe(store).run()
            return store
        } catch {
            await store.close()
            if let error = error as? S3Error { throw error.opening(bucket) }
            throw error
        }
    }

    /// How many descriptors connections to the store take at the most, and name resolution.
    package static let maxDescriptors = S3Client.lanes + 8

    /// Closes all connections to the store.
    package func close() async {
        await self.client.close()
    }

    /// Asks for one object, to see whether the store can be reached.
    ///
    /// - Throws: `.cannotConnect`, `.noInput`, `.notPermitted`, `.io`.
    package func checkReachable() async throws {
        do {
            _ = try await self.client.list(self.names.probes, limit: 1)
        } catch let error as S3Error {
            throw error.opening(self.client.bucket)
        }
    }
}

/// Tries out what the promise depends on, by one small object that is removed again: a store that ignores a condition, or
/// takes what has another digest, shall not be found out by lost files.
struct StoreProbe {
    private let client: S3Client
    private let bucket: Bucket
    private let key: [UInt8]

    init(_ store: ObjectStore) {
        self.client = store.client
        self.bucket = store.client.bucket
        self.key = store.names.probes + Array(RandomID.make().utf8)
    }

    /// - Throws: ``S3Error``; `.io` where the store does not keep what it should.
    func run() async throws {
        // First what needs no right but to list, and has a body in its answer, which tells more.
        _ = try await self.client.list(self.key, limit: 1)
        let first = try await self.client.put(self.key, ByteBuffer(string: "1"), .absent)
        do {
            try await self.check(first)
        } catch {
            try? await self.client.delete(self.key)
            throw error
        }
        try await self.client.delete(self.key)
    }

    private func check(_ first: String) async throws {
        try await self.expectRefusal("a name that is taken", .absent)
        let second: String
        do {
            second = try await self.client.put(self.key, ByteBuffer(string: "2"), .matches(first))
        } catch let error as S3Error where error.isPreconditionFailed {
            throw self.unfit("it refuses If-Match with the object's own tag")
        }
        guard second != first else { throw self.unfit("entity tags do not change with what is written") }
        try await self.expectRefusal("another object's tag", .matches(first))
        try await self.expectDigestRefusal()
        guard let there = try await self.client.get(self.key, limit: 16), there.body == ByteBuffer(string: "2") else {
            throw self.unfit("what was written last is not what is read")
        }
        guard there.age != nil else { throw self.unfit("its answers have no dates") }
    }

    private func expectRefusal(_ what: String, _ condition: WriteCondition) async throws {
        do {
            try await self.client.put(self.key, ByteBuffer(string: "3"), condition)
        } catch let error as S3Error where error.isPreconditionFailed {
            return
        }
        throw self.unfit("it ignores a condition (\(what)), so that two writers could both win one name")
    }

    private func expectDigestRefusal() async throws {
        do {
            try await self.client.put(self.key, ByteBuffer(string: "4"), digest: .ofNothing)
        } catch let error as S3Error {
            if case .answered(let status, _, _) = error.reason, (400..<500).contains(status) { return }
            throw error
        }
        throw self.unfit("it takes what has another digest than was told")
    }

    private func unfit(_ why: String) -> FxferError {
        FxferError(.io, "cannot use \(self.bucket) at \(self.bucket.origin): \(why)")
    }
}

extension ObjectStore: ServedStore {}
