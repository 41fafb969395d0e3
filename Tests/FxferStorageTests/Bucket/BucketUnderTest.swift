import FxferProtocol
import Glibc
import NIOCore

@testable import FxferS3
@testable import FxferStorage

/// An ``ObjectStore`` under a prefix of its own, in the bucket of a real server: the one that FXFER_S3_ENDPOINT names,
/// with the key in the usual variables. `Tests/ObjectStore/gateway.sh` starts one.
struct BucketUnderTest: StoreUnderTest {
    /// Nil where there is none.
    static let endpoint = getenv("FXFER_S3_ENDPOINT").map { String(cString: $0) }

    let store: ObjectStore
    private var client: S3Client { self.store.client }

    init(options: ObjectStore.Options = .patient) async throws {
        try await self.init(prefix: RandomID.make(), options: options)
    }

    /// - Parameter prefix: of another node's, to share its files.
    init(prefix: String, options: ObjectStore.Options = .patient) async throws {
        let credentials = CredentialsSource([
            "AWS_ACCESS_KEY_ID": Self.variable("AWS_ACCESS_KEY_ID"),
            "AWS_SECRET_ACCESS_KEY": Self.variable("AWS_SECRET_ACCESS_KEY"),
        ])
        let bucket = try Bucket("s3://fxfer-tests/\(prefix)", endpoint: Self.endpoint, region: "us-east-1")
        let client = try S3Client(bucket, credentials, S3Client.Options())
        _ = try await client.perform(S3Request(.PUT))
        self.store = try await ObjectStore.open(bucket, credentials, options: options)
    }

    /// Another node on the same files.
    func otherNode(options: ObjectStore.Options = .patient) async throws -> BucketUnderTest {
        try await BucketUnderTest(
            prefix: String(decoding: self.client.bucket.prefix.dropLast(), as: UTF8.self),
            options: options
        )
    }

    private static func variable(_ name: String) -> String {
        getenv(name).map { String(cString: $0) } ?? ""
    }

    func content(at path: RelativePath) async throws -> [UInt8]? {
        try await self.client.get(self.store.names.key(of: path.bytes), limit: 16 << 20)
            .map { Array($0.body.readableBytesView) }
    }

    func published() async throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        try await self.client.forEachPage(self.store.names.prefix) { page in
            found += page.objects.compactMap { self.store.names.path(of: $0.key) }
        }
        found += try await self.store.hiddenNames.all().map(\.path)
        return found.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// What is on its way here, or what is left of that in the bucket, where that is more.
    func stagedCount() async throws -> Int {
        var left = try await self.openUploads().count
        for prefix in [self.store.names.uploads, self.store.names.tails] {
            left = max(left, try await self.client.list(prefix).objects.count)
        }
        return max(self.store.stagedCount, left)
    }

    /// The ids of uploads in parts that were begun under the prefix and neither completed nor given up; a page of them.
    func openUploads() async throws -> [String] {
        let prefix = String(decoding: self.client.bucket.prefix, as: UTF8.self)
        let answer = try await self.client.perform(S3Request(.GET).asking("uploads").asking("prefix", prefix))
        return answer.document("ListMultipartUploadsResult")?.all("Upload").compactMap { $0["UploadId"] } ?? []
    }

    func put(_ bytes: [UInt8], at path: RelativePath) async throws {
        try await self.client.put(self.store.names.key(of: path.bytes), ByteBuffer(bytes: bytes))
    }

    func remove(_ path: RelativePath) async throws {
        try await self.client.delete(self.store.names.key(of: path.bytes))
    }
}

extension ObjectStore.Options {
    /// The defaults, but that no partial is taken over because a busy machine lets its test wait.
    static var patient: Self {
        var options = Self()
        options.takeOverAfter = .seconds(24 * 60 * 60)
        return options
    }
}
