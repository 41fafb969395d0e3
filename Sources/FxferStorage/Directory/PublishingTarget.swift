import FxferProtocol
import Glibc

/// Where a staged file is to be published and what it shall look like there.
struct PublishingTarget: Sendable {
    let path: RelativePath
    let permissions: mode_t
    let modified: FileTime?
    let tree: FolderTree

    /// How often a name or a folder may come and go under us before we give up.
    private static let attempts = 16

    /// Makes the file durable and gives it its name; see ``StagedFile/publish()``.
    ///
    /// The order is what makes it true (Pillai et al., OSDI 2014): content and attributes, fsync of the file, each
    /// folder and the fsync of the one above it, the name in one step, fsync of its folder.
    func publish(_ finished: consuming FinishedFile) throws(FxferError) -> Publication {
        // First, as it spares the fsync: a tree that is sent a second time meets itself.
        if let there = try PublishedFile.find(self.path, in: self.tree) {
            return try self.settle(finished.size, finished.digest, with: there)
        }
        do {
            try finished.file.seal(self.permissions, self.modified)
        } catch {
            throw .receiving("make durable", self.path, error)
        }
        for _ in 0..<Self.attempts {
            let folder = try self.tree.makeFolder(of: self.path)
            if try self.name(&finished.file, in: folder) { return .stored }
            if let there = try PublishedFile.find(self.path, in: self.tree) {
                return try self.settle(finished.size, finished.digest, with: there)
            }
        }
        throw FxferError(.busy, "cannot create '\(self.path)': its name or folder is made and removed by others")
    }

    /// Gives the file its name, durably. False where the name is taken or the folder was removed meanwhile.
    private func name(
        _ file: inout PartialFile,
        in folder: borrowing OwnedDescriptor
    ) throws(FxferError) -> Bool {
        let name = CPath(self.path.lastComponent)
        do {
            try file.move(to: folder, as: name)
        } catch {
            switch error.number {
            case EEXIST, ENOENT: return false
            case EXDEV: throw FolderTree.isElsewhere(self.path)
            default: throw .receiving("create", self.path, error)
            }
        }
        do {
            try folder.sync()
        } catch {
            file.withdraw(from: folder, name)
            throw .receiving("make durable", self.path, error)
        }
        return true
    }

    /// Compares with the file that has the name.
    private func settle(
        _ size: UInt64,
        _ digest: Digest,
        with there: PublishedFile
    ) throws(FxferError) -> Publication {
        guard there.size == size, try there.digest() == digest else { throw .taken(self.path, by: .regular) }
        try there.confirmDurable()
        return .identical
    }
}
