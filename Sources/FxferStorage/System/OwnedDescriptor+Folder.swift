import CLinux
import Glibc

/// Calls on a name in the folder that the descriptor stands for. None follows a symbolic link.
extension OwnedDescriptor {
    /// mkdirat(2); the process's umask applies to `mode`.
    func makeFolder(_ name: CPath, mode: mode_t) throws(Errno) {
        try once { mkdirat(self.number, name.characters, mode) }
    }

    /// unlinkat(2) of a file.
    func remove(_ name: CPath) throws(Errno) {
        try once { unlinkat(self.number, name.characters, 0) }
    }

    /// Whether this process may make entries here: faccessat(2), which knows read-only mounts, too.
    func checkWritable() throws(Errno) {
        try once { faccessat(self.number, CPath.itself.characters, W_OK | X_OK, AT_EACCESS) }
    }

    /// Moves a file from this folder to `folder` in one step: EEXIST where `newName` is taken by anything.
    func move(_ name: CPath, to folder: borrowing OwnedDescriptor, as newName: CPath) throws(Errno) {
        let target = folder.number
        do {
            try once { clinux_rename_noreplace(self.number, name.characters, target, newName.characters) }
        } catch {
            // EINVAL, ENOSYS: the file system or the kernel has no RENAME_NOREPLACE, rename(2). So has link(2).
            guard [EINVAL, ENOSYS, EOPNOTSUPP].contains(error.number) else { throw error }
            try self.linkThenRemove(name, to: folder, as: newName)
        }
    }

    /// renameat(2) within this folder: `name` stands for the file `other` from one moment to the next.
    func replace(_ name: CPath, with other: CPath) throws(Errno) {
        try once { renameat(self.number, other.characters, self.number, name.characters) }
    }

    /// ``move(_:to:as:)`` by linkat(2), which never replaces, and unlinkat(2). The new name is whole at once.
    func linkThenRemove(_ name: CPath, to folder: borrowing OwnedDescriptor, as newName: CPath) throws(Errno) {
        let target = folder.number
        try once { linkat(self.number, name.characters, target, newName.characters, 0) }
        // The file is under its new name. An old name that cannot be removed is swept at the next start.
        try? self.remove(name)
    }

    /// The names in this folder without `.` and `..`, in no order.
    func names() throws(Errno) -> [CPath] {
        // A descriptor of its own: readdir(3) moves the position and closedir(3) closes.
        let number = try self.openFolderBeneath(.itself).release()
        guard let stream = fdopendir(number) else {
            let error = Errno.last
            _ = close(number)
            throw error
        }
        defer { closedir(stream) }
        var names: [CPath] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw Errno.last }
                return names
            }
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            guard bytes != [0x2E], bytes != [0x2E, 0x2E] else { continue }
            names.append(CPath(bytes))
        }
    }
}
