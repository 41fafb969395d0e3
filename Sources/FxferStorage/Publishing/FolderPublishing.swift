import FxferProtocol
import Glibc

/// A folder that was given its name and attributes; the folders above it are to be made durable.
struct FolderPublishing {
    let outcome: Publication.Outcome
    private let name: CPath
    private let isNew: Bool

    /// How often the name may come and go under us before we give up.
    private static let attempts = 16

    /// Makes the folder where it is missing, sets its attributes where they differ, and makes them durable,
    /// where the target asks for that.
    ///
    /// - Throws: `.exists` where something else has the name, `.cannotCreate`, `.noSpace`, `.io`, `.busy`.
    init(_ target: PublishingTarget, in folder: GroupFolders.Node) throws(FxferError) {
        let name = CPath(target.path.lastComponent)
        self.name = name
        for _ in 0..<Self.attempts {
            let isNew = try receiving("create", target.path) {
                try Self.make(name, target.permissions, in: folder.descriptor)
            }
            do throws(Errno) {
                let own = try folder.descriptor.openFolderBeneath(name)
                let isChanged = try Self.setAttributes(of: own, target, isNew)
                if target.level > .verified { try own.sync() }
                self.outcome = isNew || isChanged ? .stored : .identical
                self.isNew = isNew
                return
            } catch {
                // One that cannot be finished must not stay without a receipt, either.
                if isNew { try? folder.descriptor.removeFolder(name) }
                switch error.number {
                case ENOENT: continue
                case ELOOP: throw .taken(target.path, by: .link)
                case ENOTDIR: throw try Self.obstacle(name, target.path, in: folder.descriptor)
                default: throw .receiving("create", target.path, error)
                }
            }
        }
        throw FolderTree.comesAndGoes(target.path)
    }

    /// True where it was made just now: without the bits for others until it has its attributes.
    private static func make(
        _ name: CPath,
        _ permissions: mode_t?,
        in folder: borrowing OwnedDescriptor
    ) throws(Errno) -> Bool {
        do {
            try folder.makeFolder(name, mode: permissions == nil ? 0o777 : 0o700)
            return true
        } catch {
            guard error.number == EEXIST else { throw error }
            return false
        }
    }

    private static func obstacle(
        _ name: CPath,
        _ path: RelativePath,
        in folder: borrowing OwnedDescriptor
    ) throws(FxferError) -> FxferError {
        let there = try receiving("create", path) { try folder.status(of: name) }
        return there.map { .taken(path, by: $0.kind) } ?? FolderTree.comesAndGoes(path)
    }

    /// True where something had to be set. The set-id and sticky bits stay as they are.
    private static func setAttributes(
        of own: borrowing OwnedDescriptor,
        _ target: PublishingTarget,
        _ isNew: Bool
    ) throws(Errno) -> Bool {
        let status = try own.status()
        var isChanged = false
        if let permissions = target.permissions,
            mode_t(status.permissions) != permissions
        {
            try own.setPermissions(permissions | status.specialBits)
            isChanged = true
        }
        if let modified = target.modified, status.stamp.modified != modified {
            try own.setModified(modified)
            isChanged = true
        }
        return isChanged
    }

    /// Takes the folder back where the one above it could not be made durable; one that has entries by now stays.
    func withdraw(from folder: GroupFolders.Node) {
        if self.isNew { try? folder.descriptor.removeFolder(self.name) }
    }
}
