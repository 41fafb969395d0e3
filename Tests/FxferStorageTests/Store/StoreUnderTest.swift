import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

/// A store with a back door, through which the conformance tests see and prepare what it holds.
///
/// To test another store, conform a type to this and add it to ``StoreFactory/all``.
protocol StoreUnderTest: Sendable {
    associatedtype Subject: Store
    var store: Subject { get }

    /// The bytes published at `path`, nil where there is nothing.
    func content(at path: RelativePath) async throws -> [UInt8]?
    /// The paths of everything published, sorted.
    func published() async throws -> [[UInt8]]
    /// How many staged files there are.
    func stagedCount() async throws -> Int
    /// Publishes `bytes` past the store.
    func put(_ bytes: [UInt8], at path: RelativePath) async throws
    /// Removes what is published at `path`.
    func remove(_ path: RelativePath) async throws
}

/// Makes an empty store for one test.
struct StoreFactory: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable () async throws -> any StoreUnderTest

    static let all =
        [
            StoreFactory(testDescription: "directory") { try await DirectoryUnderTest() },
            StoreFactory(testDescription: "directory with limits") {
                try await LimitedDirectory(StorageLimits(maxTotalSize: 1 << 62, minFreeSpace: 1))
            },
        ] + bucket

    /// Only where a gateway is there to be tested with.
    private static let bucket =
        BucketUnderTest.endpoint == nil
        ? [] : [StoreFactory(testDescription: "bucket") { try await BucketUnderTest() }]
}

extension StoreUnderTest {
    /// Prepares to receive as the server does: files of more than 1 MiB are compared first.
    func stage(_ path: RelativePath, _ attributes: FileAttributes) async throws -> Staging<Subject.Staged> {
        let isLarge = attributes.size.map { $0 > 1 << 20 } ?? false
        return try await self.store.stage(path, attributes, isLarge ? .byDigest : .afterwards)
    }

    func fresh(
        _ path: RelativePath,
        _ attributes: FileAttributes = FileAttributes()
    ) async throws -> Subject.Staged {
        let staging = try await self.stage(path, attributes)
        guard case .fresh(let file) = staging else { throw UnexpectedStaging() }
        return file
    }

    func existing(_ path: RelativePath, size: Int) async throws -> ExistingFile {
        let staging = try await self.stage(path, FileAttributes(size: UInt64(size)))
        guard case .existing(let file, _, _) = staging else { throw UnexpectedStaging() }
        return file
    }

    /// Stages, appends in pieces and publishes.
    func upload(
        _ bytes: [UInt8],
        to path: RelativePath,
        piece: Int = 100_000
    ) async throws -> Publication.Outcome {
        let file = try await self.fresh(path, FileAttributes(size: UInt64(bytes.count)))
        var rest = ByteBuffer(bytes: bytes)
        while rest.readableBytes > 0, let piece = rest.readSlice(length: min(piece, rest.readableBytes)) {
            try await file.append(piece)
            file.keep()
        }
        return try await file.publish().outcome
    }
}

struct UnexpectedStaging: Error {}
