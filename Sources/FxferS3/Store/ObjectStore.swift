import FxferProtocol
import FxferStorage
import NIOCore
import Synchronization

/// A store in a bucket of an S3-compatible object store, which any number of nodes may share. Nothing is kept on the
/// node.
///
/// A file of up to a part's size is one request. A larger one goes up in parts while it arrives, and is seen when all of
/// it is there. What makes a name belong to one writer only: <doc:ObjectLayout>.
package final class ObjectStore: Store {
    let client: S3Client
    let names: ObjectNames
    let ledger: LedgerObjects
    let options: Options
    let memory: TransferMemory
    let readMemory: ReadMemory
    let knownFolders = KnownPaths()
    let hiddenNames: HiddenNames
    private let smallMemory: TransferMemory
    private let staged = Atomic<Int>(0)

    init(_ client: S3Client, _ options: Options) {
        self.client = client
        self.options = options
        self.names = ObjectNames(prefix: client.bucket.prefix)
        self.ledger = LedgerObjects(client, self.names)
        self.memory = TransferMemory(capacity: options.partMemory, meter: client.metrics.memory)
        self.readMemory = ReadMemory(options, meter: client.metrics.memory)
        self.smallMemory = TransferMemory(capacity: options.smallMemory, meter: client.metrics.memory)
        self.hiddenNames = HiddenNames(client, self.names)
    }

    /// How many files are on their way.
    package var stagedCount: Int { self.staged.load(ordering: .relaxed) }

    var claims: NameClaims { NameClaims(self) }

    func countStaged(_ count: Int) {
        self.staged.add(count, ordering: .relaxed)
    }

    package func stageInMemory(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ level: Durability
    ) -> StagedObject? {
        guard level < .media, let size = attributes.size, size <= Self.largestInMemory,
            !ObjectNames.isReserved(path.bytes),
            // What its objects take beside the content.
            let share = self.smallMemory.takeAtOnce(max(Int(size), 1 << 10))
        else { return nil }
        let target = ObjectTarget(path: path, stored: path, attributes: attributes, level: level)
        return StagedObject(self, target, StagedBytes(share: share), isInMemory: true)
    }

    package func stage(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ comparison: Comparison,
        _ level: Durability,
        reading: @Sendable (UInt64) -> Void
    ) async throws -> Staging<StagedObject> {
        guard level < .media else {
            throw FxferError(
                .cannotCreate,
                "cannot store '\(path)' at the level 'media': what the disks of an object store have cannot be read back"
            )
        }
        guard !ObjectNames.isReserved(path.bytes) else {
            throw FxferError(.nameRefused, "cannot create '\(path)': a folder '.fxfer' is a server's own in a bucket")
        }
        let target = ObjectTarget(path: path, stored: path, attributes: attributes, level: level)
        for _ in 0..<Publishing.attempts {
            do {
                return try await storing("create", path) { try await self.stage(target, comparison, reading) }
            } catch is NameWasSettled {
            }
        }
        throw FxferError(.busy, "'\(path)' comes and goes; try again later")
    }

    /// An upload that was left has been completed, or not, just now: whoever looked at its name before has to look again.
    struct NameWasSettled: Error {}

    private func stage(
        _ target: ObjectTarget,
        _ comparison: Comparison,
        _ reading: @Sendable (UInt64) -> Void
    ) async throws -> Staging<StagedObject> {
        let (path, attributes) = (target.path, target.attributes)
        if let size = attributes.size, size > self.largestFile { throw self.isTooLarge(path) }
        try await self.checkFolders(of: path)
        if attributes.isFolder {
            if try await self.look(at: path) != nil { throw self.isTaken(path) }
            return .fresh(StagedObject(self, target, isInMemory: true))
        }
        async let folder = self.isFolder(path)
        let there = try await self.look(at: path)
        if let there {
            guard self.options.conflict != .refuse || attributes.size.map({ $0 == there.size }) ?? true else {
                throw self.isTaken(path)
            }
            if comparison != .afterwards, there.size == attributes.size {
                if comparison == .bySizeAndTime, there.modified == attributes.modified { return .unchanged }
                return try await self.compare(there, target, comparison, reading)
            }
            return try await self.begin(target, comparison, besides: path)
        } else if try await folder {
            guard self.options.conflict == .keepBoth else { throw self.isTakenByFolder(path) }
            return try await self.begin(target, comparison, besides: path)
        }
        return try await self.begin(target, comparison)
    }

    /// A file of the announced size has the name: whether it is the same is for the sender to say.
    private func compare(
        _ there: StoredObject,
        _ target: ObjectTarget,
        _ comparison: Comparison,
        _ reading: @Sendable (UInt64) -> Void
    ) async throws -> Staging<StagedObject> {
        reading(there.size)
        let digest: Digest
        do {
            digest = try await self.hash(there)
        } catch let error as S3Error where error.isPreconditionFailed || error.isMissing {
            throw FxferError(.busy, "'\(there.path)' was changed while it was compared; try again", cause: error)
        }
        if let content = try await self.content(of: there), content.digest != digest {
            guard self.options.conflict != .refuse else { throw self.isDamaged(there.path) }
            return try await self.begin(target, comparison, besides: there.path)
        }
        let existing = ExistingFile(size: there.size, digest: digest) { origin in
            try await storing("confirm", there.path) { try await self.confirm(there, digest, target.level, origin) }
        }
        var otherwise: StagedObject?
        if self.options.conflict != .refuse {
            switch try await self.begin(target, comparison, besides: target.path) {
            case .fresh(let file): otherwise = file
            case .partial(let file):
                // There is one answer for both.
                file.restart()
                otherwise = file
            case .existing, .unchanged: break
            }
        }
        return .existing(existing, otherwise: otherwise, decayed: nil)
    }

    /// - Parameter besides: what has the name, and stays where both are to be kept.
    private func begin(
        _ target: ObjectTarget,
        _ comparison: Comparison,
        besides: RelativePath? = nil
    ) async throws -> Staging<StagedObject> {
        var target = target
        if let besides, self.options.conflict == .keepBoth { target.stored = try await self.freePath(beside: besides) }
        guard let size = target.attributes.size, size > Self.smallestKept, comparison != .afterwards,
            self.options.keepPartialsFor > .zero
        else { return .fresh(StagedObject(self, target)) }
        let file = try await self.beginResumable(target, size)
        return file.position > 0 ? .partial(file) : .fresh(file)
    }

    /// The upload of a file that nobody else can go on with.
    func makeUpload(_ target: ObjectTarget) -> MultipartUpload {
        let record = UploadRecord(
            owner: RandomID.make(),
            path: target.path,
            target: target.stored,
            size: nil,
            modified: nil,
            id: RandomID.make()
        )
        let key = self.names.uploads + Array(RandomID.make().utf8)
        return MultipartUpload(self, record, at: key, attributes: self.metadata(of: target, id: record.id))
    }

    /// What is known of an object before its content is.
    func metadata(of target: ObjectTarget, id: String) -> ObjectMetadata {
        let permissions = target.attributes.permissions ?? (target.isFolder ? nil : self.options.defaultPermissions)
        return ObjectMetadata(
            id: id,
            modified: target.attributes.modified ?? .now(),
            permissions: permissions.map { $0 & FileAttributes.permissionMask }
        )
    }
}
