import FxferProtocol
import Glibc

/// The receiver's directory and the folders below it, reached one component at a time and never through a link.
///
/// At most two descriptors are open during a walk, however deep it goes.
final class FolderTree: Sendable {
    let root: OwnedDescriptor
    private let device: dev_t

    init(root: consuming OwnedDescriptor) throws(Errno) {
        self.device = try root.status().identity.device
        self.root = root
    }

    /// Where a walk towards a file ended: at its folder, or at the last folder on the way that is there.
    struct Walk: ~Copyable {
        let folder: OwnedDescriptor
        let isComplete: Bool
    }

    /// Walks towards the file's folder without making anything.
    ///
    /// - Throws: `.cannotCreate` where a component is no folder or one on another file system, into which a staged
    ///   file cannot be moved (EXDEV).
    func walk(to path: RelativePath) throws(FxferError) -> Walk {
        var folder = try self.openRoot(path)
        for component in path.components.dropLast() {
            do {
                folder = try folder.openFolderBeneath(CPath(component))
            } catch {
                guard error.number == ENOENT else { throw Self.blocked(path, at: component, error) }
                return Walk(folder: folder, isComplete: false)
            }
        }
        try self.checkDevice(of: folder, path)
        return Walk(folder: folder, isComplete: true)
    }

    /// The file's folder, made where it is missing (0o777 less the umask), as are those above it.
    ///
    /// The entry of each folder on the way is durable afterwards, whoever made it: each folder is fsynced after the
    /// next one was found or made in it. What the caller does in the file's own folder is for the caller to fsync.
    ///
    /// - Throws: `.cannotCreate`, `.noSpace` or `.io`.
    func makeFolder(of path: RelativePath) throws(FxferError) -> OwnedDescriptor {
        var folder = try self.openRoot(path)
        for component in path.components.dropLast() {
            do {
                folder = try Self.enter(CPath(component), from: folder)
            } catch {
                throw Self.blocked(path, at: component, error)
            }
        }
        return folder
    }

    private static func enter(_ name: CPath, from folder: borrowing OwnedDescriptor) throws(Errno) -> OwnedDescriptor {
        do {
            let next = try folder.openFolderBeneath(name)
            try folder.sync()
            return next
        } catch {
            guard error.number == ENOENT else { throw error }
        }
        do {
            try folder.makeFolder(name, mode: 0o777)
        } catch {
            // EEXIST: another upload was faster.
            guard error.number == EEXIST else { throw error }
        }
        try folder.sync()
        return try folder.openFolderBeneath(name)
    }

    /// A descriptor of its own for the root, so that each fsync reports what failed since it was opened.
    private func openRoot(_ path: RelativePath) throws(FxferError) -> OwnedDescriptor {
        try receiving("create", path) { try self.root.openFolderBeneath(.itself) }
    }

    private func checkDevice(of folder: borrowing OwnedDescriptor, _ path: RelativePath) throws(FxferError) {
        let status = try receiving("create", path) { try folder.status() }
        guard status.identity.device == self.device else { throw Self.isElsewhere(path) }
    }

    /// EXDEV as a person understands it.
    static func isElsewhere(_ path: RelativePath) -> FxferError {
        FxferError(
            .cannotCreate,
            "cannot create '\(path)': its folder is on another file system; run a server for that folder itself"
        )
    }

    private static func blocked(_ path: RelativePath, at component: ArraySlice<UInt8>, _ error: Errno) -> FxferError {
        let name = EscapedText.escape(component)
        return switch error.number {
        case ELOOP:
            FxferError(.cannotCreate, "cannot create '\(path)': '\(name)' is a symbolic link", cause: error)
        case ENOTDIR:
            FxferError(.cannotCreate, "cannot create '\(path)': '\(name)' is not a directory", cause: error)
        default:
            .receiving("create", path, error)
        }
    }
}
