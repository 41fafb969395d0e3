import FxferProtocol
import Glibc

/// A store in a directory of this machine: files are staged in `DIR/.fxfer/partials` and published below `DIR`.
///
/// Every call below `DIR` is relative to a descriptor and follows no symbolic link. Several stores, in one process or
/// in many, can share one directory.
///
/// Folders for a file are made when it is published, so that a failed upload leaves none behind; what can be known
/// before (a component that is a file or a link, another file system, no permission) is told by ``stage(_:_:)``.
/// Space is not reserved, only compared with what is free: a peer that announces much and sends little takes none.
package final class DirectoryStore: Store {
    /// How many staged files of servers that were killed were removed when the store was opened.
    package let leftoversRemoved: Int

    private let tree: FolderTree
    private let partials: PartialsFolder
    private let options: Options
    private let pool: DiskPool

    /// What can be chosen about a directory store.
    package struct Options: Sendable {
        /// Permission bits of files whose sender tells none: 0o666 less the process's umask.
        package var defaultPermissions: UInt16 = UInt16(truncatingIfNeeded: 0o666 & ~FileCreationMask.current())

        package init() {}
    }

    init(_ opened: consuming OpenedDirectory, _ options: Options, _ pool: DiskPool) {
        self.tree = opened.tree
        self.partials = opened.partials
        self.leftoversRemoved = opened.leftoversRemoved
        self.options = options
        self.pool = pool
    }

    package func stage(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        comparingAbove: UInt64
    ) async throws -> Staging<DirectoryStagedFile> {
        switch try await self.pool.run({ try self.prepare(path, attributes, comparingAbove) }) {
        case .fresh(let file):
            return .fresh(file)
        case .compare(let file):
            let digest = try await file.digest(on: self.pool)
            let pool = self.pool
            return .existing(
                ExistingFile(size: file.size, digest: digest) {
                    try await pool.run { try file.confirmDurable() }
                }
            )
        }
    }

    private enum Preparation {
        case fresh(DirectoryStagedFile)
        case compare(PublishedFile)
    }

    private func prepare(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ comparingAbove: UInt64
    ) throws(FxferError) -> Preparation {
        if let there = try self.checkName(path, attributes.size), there > comparingAbove,
            let file = try PublishedFile.find(path, in: self.tree)
        {
            guard file.size == attributes.size else { throw .taken(path, by: .regular) }
            return .compare(file)
        }
        return try receiving("create", path) {
            try self.checkSpace(for: path, attributes.size)
            let partial = try PartialFile.create(in: self.partials)
            let permissions =
                (attributes.permissions ?? self.options.defaultPermissions) & FileAttributes.permissionMask
            let target = PublishingTarget(
                path: path,
                permissions: mode_t(permissions),
                modified: attributes.modified,
                tree: self.tree
            )
            return .fresh(DirectoryStagedFile(partial, target, self.pool))
        }
    }

    /// Makes sure that a file of `size` bytes may turn out to be publishable at `path`. Answers the size of the regular
    /// file that is there and may be the same; nil where there is none, or the size is not known.
    private func checkName(_ path: RelativePath, _ size: UInt64?) throws(FxferError) -> UInt64? {
        let walk = try self.tree.walk(to: path)
        return try receiving("create", path) {
            guard walk.isComplete, let there = try walk.folder.status(of: CPath(path.lastComponent)) else {
                try walk.folder.checkWritable()
                return nil
            }
            guard there.kind == .regular, size == nil || size == there.size else {
                throw FxferError.taken(path, by: there.kind)
            }
            return size
        }
    }

    private func checkSpace(for path: RelativePath, _ size: UInt64?) throws {
        guard let size, let free = try self.partials.folder.availableBytes(), size > free else { return }
        throw FxferError(
            .noSpace,
            "cannot store '\(path)': it needs \(size) bytes, \(free) are free on the receiver's disk"
        )
    }
}
