import FxferProtocol
import Glibc

/// What has the path of a stored file.
enum StoredFile: ~Copyable {
    case missing
    /// Something else than a file.
    case other(FileKind)
    case file(OwnedDescriptor)

    /// Looks and opens. Waits while the file is just being published: until then its publisher has it locked.
    ///
    /// - Throws: what stands in the way of reading it; EWOULDBLOCK where another program has it locked.
    static func open(_ path: RelativePath, in tree: FolderTree) throws(Errno) -> StoredFile {
        do throws(Errno) {
            var folder = try tree.root.openFolderBeneath(.itself)
            for component in path.components.dropLast() {
                folder = try folder.openFolderBeneath(CPath(component))
            }
            let name = CPath(path.lastComponent)
            // Looks before it opens: opening alone has effects on FIFOs and devices.
            guard let there = try folder.status(of: name) else { return .missing }
            guard there.kind == .regular else { return .other(there.kind) }
            let file = try folder.openBeneath(name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
            guard try file.waitForPublisher() else { throw Errno(EWOULDBLOCK) }
            return .file(file)
        } catch {
            switch error.number {
            // A folder on the way is gone, or a file or a link has its place.
            case ENOENT, ENOTDIR, ELOOP: return .missing
            default: throw error
            }
        }
    }
}
