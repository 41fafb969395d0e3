import FxferProtocol
import Glibc

/// A store in a directory of this machine: files are staged in `DIR/.fxfer/partials` and published below `DIR`.
///
/// Every call below `DIR` is relative to a descriptor and follows no symbolic link. Several stores, in one process or
/// in many, can share one directory.
///
/// Folders for a file are made when it is published, so that a failed upload leaves none behind; what can be known
/// before (a component that is a file or a link, another file system, no permission) is told by ``stage(_:_:_:)``.
/// A file of more than 1 MiB whose sender waits for an answer is staged under a name that depends on its path alone,
/// beside a journal of what is verified (``PartialJournal``): a later try goes on from there, even after a crash. Of
/// two at once that offer the same such path, one is told to try again.
/// Space is not reserved, only compared with what is free: a peer that announces much and sends little takes none.
package final class DirectoryStore: Store {
    /// How many staged files of servers that were killed were removed when the store was opened, partials of no use
    /// any more among them.
    package let leftoversRemoved: Int
    /// Whether a line that a crash had torn was cut off the ledger when the store was opened.
    package var hasMendedLedger: Bool { self.committer.records?.ledger.wasMended ?? false }

    let tree: FolderTree
    let partials: PartialsFolder
    let pool: DiskPool
    private let options: Options
    let committer: Committer
    private let queue: CommitQueue
    /// For files that are read again, which takes long: nobody else waits for them.
    private let mediaQueue: CommitQueue
    private let memory: MemoryBudget
    private let hashing = HashingLane()

    init(_ opened: consuming OpenedDirectory, _ options: Options, _ pool: DiskPool) {
        self.tree = opened.tree
        self.partials = opened.partials
        self.leftoversRemoved = opened.leftoversRemoved
        self.options = options
        self.pool = pool
        self.committer = Committer(
            tree: opened.tree,
            partials: opened.partials,
            linking: NamelessFile.linking(in: opened.partials),
            records: opened.records,
            media: MediaProbe(opened.partials)
        )
        self.queue = CommitQueue(self.committer, pool)
        self.mediaQueue = CommitQueue(self.committer, pool, maxWorkers: Self.maxMediaWorkers)
        self.memory = MemoryBudget(bytes: options.memory)
    }

    /// A quarter of the threads that a pool has at the least: each may read a large file.
    private static let maxMediaWorkers = 4

    package func stageInMemory(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ level: Durability
    ) -> DirectoryStagedFile? {
        let target = self.target(path, attributes, level)
        // Whether files can be read again takes file calls to find out.
        guard target.level < .media || self.committer.media.isPossible else { return nil }
        guard let size = attributes.size, size <= MemoryContent.maxSize, !self.isReserved(path),
            let share = self.memory.share(for: Int(size))
        else { return nil }
        let content = MemoryContent(path, size: Int(size), share)
        return self.staged(StagedBytes(content), target)
    }

    package func stage(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ comparison: Comparison,
        _ level: Durability,
        reading: @Sendable (UInt64) -> Void
    ) async throws -> Staging<DirectoryStagedFile> {
        try await self.stage(path, attributes, comparison, level, repairsOnly: false, reading: reading)
    }

    /// ``stage(_:_:_:_:reading:)``, perhaps of what may only repair; see ``PublishingTarget/repairsOnly``.
    func stage(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ comparison: Comparison,
        _ level: Durability,
        repairsOnly: Bool,
        reading: @Sendable (UInt64) -> Void
    ) async throws -> Staging<DirectoryStagedFile> {
        let target = self.target(path, attributes, level, repairsOnly: repairsOnly)
        switch try await self.pool.run({ try self.prepare(target, attributes, comparison) }) {
        case .unchanged:
            return .unchanged
        case .beginning(let beginning):
            if case .resumable(let resumption) = beginning { reading(resumption.expectedLength) }
            let file = try await self.finish(beginning)
            return file.position > 0 ? .partial(file) : .fresh(file)
        case .compare(let file):
            reading(file.size)
            guard let digest = try await self.digest(of: file) else {
                return .fresh(try await self.pool.run { try self.stageRepair(of: file, target) })
            }
            return .existing(
                ExistingFile(size: file.size, digest: digest) { origin in
                    try await self.confirm(file, target, from: origin)
                },
                otherwise: try await self.stageBeside(target, attributes, comparison),
                decayed: try await self.decayed(file, target)
            )
        }
    }

    private func confirm(
        _ file: PublishedFile,
        _ target: PublishingTarget,
        from origin: Origin
    ) async throws -> Publication {
        try await self.hash(target.level == .media ? file.size : 0) {
            try await self.pool.run {
                try self.committer.checkIdentical(file, target)
                return try self.committer.confirm(file, target.level, from: origin)
            }
        }
    }

    /// Where other content than the one that is there is to go. Without a look at the free space: it may turn out that
    /// none is needed. What an earlier try has left of it is not gone on with, as there is one answer for both.
    private func stageBeside(
        _ target: PublishingTarget,
        _ attributes: FileAttributes,
        _ comparison: Comparison
    ) async throws -> DirectoryStagedFile? {
        guard target.conflict != .refuse else { return nil }
        let beginning = try await self.pool.run { try self.begin(target, attributes, comparison) }
        let file = try await self.finish(beginning)
        if file.position > 0 { file.restart() }
        return file
    }

    // MARK: What stands in the way

    private enum Preparation {
        case beginning(Beginning)
        case compare(PublishedFile)
        case unchanged
    }

    private func prepare(
        _ target: PublishingTarget,
        _ attributes: FileAttributes,
        _ comparison: Comparison
    ) throws(FxferError) -> Preparation {
        let path = target.path
        try self.checkReserved(path)
        if target.level == .media { _ = try self.committer.media.access(for: path) }
        let name = try self.checkName(target, attributes)
        if name.mayBeSame, comparison != .afterwards,
            let file = try PublishedFile.find(path, in: self.tree), file.size == attributes.size
        {
            // Size and time tell nothing of what the disk has.
            guard comparison == .bySizeAndTime, file.modified == attributes.modified, target.level < .media else {
                return .compare(file)
            }
            try file.confirm(target.level)
            return .unchanged
        }
        try self.checkSpace(for: path, attributes.size, comparison)
        return .beginning(try self.begin(target, attributes, comparison, newFolder: name.newFolder))
    }

    /// What is found about a name.
    private struct NameCheck {
        /// Whether a regular file of the announced size has it, which may be the same.
        var mayBeSame = false
        /// The first folder on the way that does not exist.
        var newFolder: RelativePath?
    }

    /// Makes sure that the file or folder may turn out to be publishable at `path`.
    private func checkName(
        _ target: PublishingTarget,
        _ attributes: FileAttributes
    ) throws(FxferError) -> NameCheck {
        let path = target.path
        let walk = try self.tree.walk(to: path)
        return try receiving("create", path) {
            guard walk.isComplete, let there = try walk.folder.status(of: CPath(path.lastComponent)) else {
                try walk.folder.checkWritable()
                return NameCheck(newFolder: walk.missing)
            }
            let fits = there.kind == (attributes.isFolder ? .folder : .regular)
            let isSameSize = attributes.size == nil || attributes.size == there.size
            let isTaken =
                switch target.conflict {
                case _ where attributes.isFolder: !fits
                case .refuse: !fits || !isSameSize
                case .replace: !fits
                case .keepBoth: false
                }
            if isTaken { throw FxferError.taken(path, by: there.kind) }
            return NameCheck(mayBeSame: fits && !attributes.isFolder && attributes.size == there.size)
        }
    }

    func checkSpace(
        for path: RelativePath,
        _ size: UInt64?,
        _ comparison: Comparison
    ) throws(FxferError) {
        try receiving("create", path) {
            guard let size, let free = try self.partials.folder.availableBytes(), size > free else { return }
            // What an earlier try has left need not be found room for.
            let name = self.partials.name(for: path).content
            let left = self.isResumable(size, comparison) ? try self.partials.folder.status(of: name)?.size : nil
            guard size - min(left ?? 0, size) > free else { return }
            throw FxferError(
                .noSpace,
                "cannot store '\(path)': it needs \(size) bytes, \(free) are free on the receiver's disk"
            )
        }
    }

    // MARK: Staged files

    /// A staged file, or what has to be verified before it is one.
    private enum Beginning {
        case ready(DirectoryStagedFile)
        case resumable(PartialResumption)
    }

    private func begin(
        _ target: PublishingTarget,
        _ attributes: FileAttributes,
        _ comparison: Comparison,
        newFolder: RelativePath? = nil
    ) throws(FxferError) -> Beginning {
        let path = target.path
        guard !attributes.isFolder else {
            return .ready(self.staged(StagedBytes(MemoryContent(path, size: 0, nil)), target))
        }
        return try receiving("create", path) {
            if let size = attributes.size, self.isResumable(size, comparison),
                let resumption = try self.beginResumable(target, size)
            {
                return .resumable(resumption)
            }
            let content = StagedContent(try PartialFile.create(in: self.partials), path)
            return .ready(self.staged(StagedBytes(content), target, newFolder: newFolder))
        }
    }

    private func finish(_ beginning: Beginning) async throws -> DirectoryStagedFile {
        switch beginning {
        case .ready(let file): file
        case .resumable(let resumption):
            try await self.hash(resumption.expectedLength) { try await resumption.run(on: self.pool) }
        }
    }

    /// Runs work that hashes so many bytes; long work waits for its turn.
    func hash<T: Sendable>(_ length: UInt64, _ work: @Sendable () async throws -> T) async throws -> T {
        length > DiskPool.bytesPerHop ? try await self.hashing.run(work) : try await work()
    }

    func staged(
        _ content: consuming StagedBytes,
        _ target: PublishingTarget,
        newFolder: RelativePath? = nil
    ) -> DirectoryStagedFile {
        let queue = target.level == .media ? self.mediaQueue : self.queue
        return DirectoryStagedFile(content, target, newFolder: newFolder, self.partials, queue, self.pool)
    }

    private func target(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ level: Durability,
        repairsOnly: Bool = false
    ) -> PublishingTarget {
        let permissions = attributes.permissions ?? (attributes.isFolder ? nil : self.options.defaultPermissions)
        return PublishingTarget(
            path: path,
            isFolder: attributes.isFolder,
            permissions: permissions.map { mode_t($0 & FileAttributes.permissionMask) },
            modified: attributes.modified,
            conflict: repairsOnly ? .refuse : self.options.conflict,
            repairsOnly: repairsOnly,
            level: attributes.isFolder ? min(level, .durable) : level
        )
    }
}
