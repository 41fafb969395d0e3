import CLinux
import Glibc

/// A directory that the operator named, made where it is missing.
package enum ReceivingFolder {
    /// Opens the directory at `path`, which is not empty; symbolic links are followed. Missing folders are made one by
    /// one with `mode` less the umask, and each entry is made durable.
    package static func open(_ path: [UInt8], mode: mode_t = 0o777) throws(Errno) -> OwnedDescriptor {
        do {
            let folder = try OwnedDescriptor.open(CPath(path), O_RDONLY | O_DIRECTORY)
            try Self.flushName(of: folder)
            return folder
        } catch {
            guard error.number == ENOENT else { throw error }
        }
        // O_PATH: the folders above need only be passable, not readable.
        let start = path[0] == UInt8(ascii: "/") ? CPath("/") : .itself
        var folder = try OwnedDescriptor.open(start, clinux_o_path | O_DIRECTORY)
        for component in path.split(separator: UInt8(ascii: "/")) {
            folder = try Self.enter(CPath(component), from: folder, mode)
        }
        return try OwnedDescriptor.open(.itself, O_RDONLY | O_DIRECTORY, in: folder)
    }

    /// Makes the folder's own name durable: whoever made it just now may not have done so. Where the folder above may
    /// not be read, or its file system has nothing to flush, there is nothing to do; an error of the disk is one.
    private static func flushName(of folder: borrowing OwnedDescriptor) throws(Errno) {
        guard let above = try? OwnedDescriptor.open(CPath(".."), O_RDONLY | O_DIRECTORY, in: folder) else { return }
        do {
            try above.sync()
        } catch {
            guard [EINVAL, EROFS].contains(error.number) else { throw error }
        }
    }

    private static func enter(
        _ name: CPath,
        from folder: borrowing OwnedDescriptor,
        _ mode: mode_t
    ) throws(Errno) -> OwnedDescriptor {
        do {
            return try OwnedDescriptor.open(name, clinux_o_path | O_DIRECTORY, in: folder)
        } catch {
            guard error.number == ENOENT else { throw error }
        }
        do {
            try folder.makeFolder(name, mode: mode)
        } catch {
            guard error.number == EEXIST else { throw error }
        }
        let readable = try OwnedDescriptor.open(.itself, O_RDONLY | O_DIRECTORY, in: folder)
        try readable.sync()
        return try OwnedDescriptor.open(name, clinux_o_path | O_DIRECTORY, in: folder)
    }
}
