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
        /// The first folder on the way that is not there; nil where the file's folder was reached.
        let missing: RelativePath?

        var isComplete: Bool { self.missing == nil }
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
                return Walk(folder: folder, missing: try? RelativePath(bytes: path.bytes[..<component.endIndex]))
            }
        }
        try self.checkDevice(of: folder, path)
        return Walk(folder: folder, missing: nil)
    }

    /// The folder `name`, made where it is missing (0o777 less the umask). Its entry is not durable yet.
    static func enter(_ name: CPath, from folder: borrowing OwnedDescriptor) throws(Errno) -> OwnedDescriptor {
        do {
            return try folder.openFolderBeneath(name)
        } catch {
            guard error.number == ENOENT else { throw error }
        }
        do {
            try folder.makeFolder(name, mode: 0o777)
        } catch {
            // EEXIST: another upload was faster.
            guard error.number == EEXIST else { throw error }
        }
        return try folder.openFolderBeneath(name)
    }

    /// A descriptor of its own for the root, so that each fsync reports what failed since it was opened.
    func openRoot(_ path: RelativePath) throws(FxferError) -> OwnedDescriptor {
        try receiving("create", path) { try self.root.openFolderBeneath(.itself) }
    }

    /// Others make and remove the path's name or folder all the time.
    static func comesAndGoes(_ path: RelativePath) -> FxferError {
        FxferError(.busy, "cannot create '\(path)': its name or folder is made and removed by others")
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

    /// Why `component` of the path cannot be entered or made.
    static func blocked(_ path: RelativePath, at component: ArraySlice<UInt8>, _ error: Errno) -> FxferError {
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
