import FxferProtocol

/// A store that keeps to ``StorageLimits``. Every file passes here, whether its size is known or not, in memory, new or
/// gone on with: what is known is judged when it is offered, what is not with each byte.
package final class LimitedStore<Base: MeasuredStore>: Store {
    package let base: Base
    private let limits: StorageLimits
    /// Nil where only single files are limited.
    private let space: StoreSpace<Base>?
    private let knownFolders = KnownFolders()

    /// Looks through the store first, where its content is limited.
    ///
    /// - Throws: as ``MeasuredStore/measure()``.
    package init(_ base: Base, _ limits: StorageLimits) async throws {
        self.base = base
        self.limits = limits
        self.space = limits.maxTotalSize == nil && limits.minFreeSpace == 0 ? nil : StoreSpace(base, limits)
        try await self.space?.measureFirst()
    }

    package func stageInMemory(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ level: Durability
    ) -> LimitedFile<Base>? {
        guard let size = attributes.size, size <= self.limits.maxFileSize ?? .max else { return nil }
        let entry = EntrySpace(isFolder: attributes.isFolder, newFolders: 0)
        var claim: SpaceClaim?
        if let space = self.space {
            // Whether folders have to be made for it takes a look at the disk.
            guard !attributes.isFolder, self.knownFolders.hasFolder(of: path),
                let granted = space.claimAtOnce(entry.total(size))
            else { return nil }
            claim = granted
        }
        guard let file = self.base.stageInMemory(path, attributes, level) else { return nil }
        return LimitedFile(file, path, size, entry, self.limits, claim.map { ($0, nil) }, self.knownFolders)
    }

    package func stage(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ comparison: Comparison,
        _ level: Durability,
        reading: @Sendable (UInt64) -> Void
    ) async throws -> Staging<LimitedFile<Base>> {
        if let size = attributes.size { try self.limits.checkSize(size, path) }
        let isFolder = attributes.isFolder
        let newFolders = self.space == nil ? 0 : try await self.base.newFolders(for: path, isFolder: isFolder)
        let entry = EntrySpace(isFolder: isFolder, newFolders: newFolders)
        switch try await self.base.stage(path, attributes, comparison, level, reading: reading) {
        case .fresh(let file):
            return .fresh(try await self.limited(file, path, attributes.size, entry))
        case .partial(let file):
            return .partial(try await self.limited(file, path, attributes.size, entry))
        case .existing(let file, let otherwise, let decayed):
            // Most often it is the same, and nothing is to be stored: room is looked for when content comes.
            return .existing(
                file,
                otherwise: otherwise.map { self.unclaimed($0, path, attributes.size, entry) },
                decayed: decayed.map { decayed in
                    DecayedFile(decayed.decay) {
                        self.unclaimed(try await decayed.stageRepair(), path, attributes.size, entry)
                    }
                }
            )
        case .unchanged:
            return .unchanged
        }
    }

    private func unclaimed(
        _ file: Base.Staged,
        _ path: RelativePath,
        _ size: UInt64?,
        _ entry: EntrySpace
    ) -> LimitedFile<Base> {
        let claim = self.space.map { space in
            (space.ledger.enter(file.mayLeavePartial ? path : nil, holding: file.position), space)
        }
        return LimitedFile(file, path, size, entry, self.limits, claim, self.knownFolders)
    }

    /// The staged file where there is room for it; else what was there stays as it was.
    private func limited(
        _ file: Base.Staged,
        _ path: RelativePath,
        _ size: UInt64?,
        _ entry: EntrySpace
    ) async throws -> LimitedFile<Base> {
        let limited = self.unclaimed(file, path, size, entry)
        do {
            try await limited.makeRoom(for: size ?? 0)
        } catch {
            await limited.discard(keepingPartial: true)
            throw error
        }
        return limited
    }
}

extension StorageLimits {
    /// - Throws: `.tooLarge`.
    func checkSize(_ size: UInt64, _ path: RelativePath) throws(FxferError) {
        guard let maxFileSize = self.maxFileSize, size > maxFileSize else { return }
        throw FxferError(
            .tooLarge,
            "cannot store '\(path)': it is larger than the \(maxFileSize) bytes that the server takes"
        )
    }
}

extension LimitedStore: SharedFiles where Base: SharedFiles {
    package func open(_ path: RelativePath) async throws -> SharedContent {
        try await self.base.open(path)
    }

    package func list(_ folder: RelativePath?) async throws -> any SharedListing {
        try await self.base.list(folder)
    }
}
