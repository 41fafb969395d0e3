import CLinux
import Glibc

/// Calls on a name in the folder that the descriptor stands for. None follows a symbolic link.
extension OwnedDescriptor {
    /// mkdirat(2); the process's umask applies to `mode`.
    func makeFolder(_ name: CPath, mode: mode_t) throws(Errno) {
        try once(.mkdirat, self.number) { mkdirat($0, name.characters, mode) }
    }

    /// unlinkat(2) of a file.
    package func remove(_ name: CPath) throws(Errno) {
        try once(.unlinkat, self.number) { unlinkat($0, name.characters, 0) }
    }

    /// unlinkat(2) of an empty folder.
    func removeFolder(_ name: CPath) throws(Errno) {
        try once(.unlinkat, self.number) { unlinkat($0, name.characters, AT_REMOVEDIR) }
    }

    /// Whether this process may make entries here: faccessat(2), which knows read-only mounts, too.
    func checkWritable() throws(Errno) {
        try once(.faccessat, self.number) { faccessat($0, CPath.itself.characters, W_OK | X_OK, AT_EACCESS) }
    }

    /// Moves a file from this folder to `folder` in one step: EEXIST where `newName` is taken by anything.
    package func move(_ name: CPath, to folder: borrowing OwnedDescriptor, as newName: CPath) throws(Errno) {
        let target = folder.number
        do {
            try once(.renameat, target) {
                clinux_rename_noreplace(self.number, name.characters, $0, newName.characters)
            }
        } catch {
            // EINVAL, ENOSYS: the file system or the kernel has no RENAME_NOREPLACE, rename(2). So has link(2).
            guard [EINVAL, ENOSYS, EOPNOTSUPP].contains(error.number) else { throw error }
            try self.linkThenRemove(name, to: folder, as: newName)
        }
    }

    /// renameat(2) within this folder: `name` stands for the file `other` from one moment to the next.
    func replace(_ name: CPath, with other: CPath) throws(Errno) {
        try once(.renameat, self.number) { renameat($0, other.characters, $0, name.characters) }
    }

    /// Exchanges a name in this folder with one in `folder` in one step: ENOENT where one is missing, EINVAL where the
    /// file system or the kernel cannot do it.
    func exchange(_ name: CPath, with other: CPath, in folder: borrowing OwnedDescriptor) throws(Errno) {
        let target = folder.number
        try once(.renameat, target) {
            clinux_rename_exchange(self.number, name.characters, $0, other.characters)
        }
    }

    /// renameat(2): `newName` in `folder` stands for the file from one moment to the next, whatever it stood for.
    func rename(_ name: CPath, to folder: borrowing OwnedDescriptor, as newName: CPath) throws(Errno) {
        let target = folder.number
        try once(.renameat, target) { renameat(self.number, name.characters, $0, newName.characters) }
    }

    /// ``move(_:to:as:)`` by linkat(2), which never replaces, and unlinkat(2). The new name is whole at once.
    func linkThenRemove(_ name: CPath, to folder: borrowing OwnedDescriptor, as newName: CPath) throws(Errno) {
        let target = folder.number
        try once(.linkat, target) { linkat(self.number, name.characters, $0, newName.characters, 0) }
        // The file is under its new name. An old name that cannot be removed is swept at the next start.
        try? self.remove(name)
    }

    /// The names in this folder without `.` and `..`, in no order.
    package func names() throws(Errno) -> [CPath] {
        var names: [CPath] = []
        try self.forEachEntry { name, _ in names.append(CPath(name)) }
        return names
    }

    /// Calls `body` with each name in this folder but `.` and `..`, in no order, and its d_type; see readdir(3).
    func forEachEntry(_ body: (_ name: UnsafeRawBufferPointer, _ type: UInt8) -> Void) throws(Errno) {
        // A descriptor of its own: readdir(3) moves the position and closedir(3) closes.
        let number = try self.openFolderBeneath(.itself).release()
        defer { DescriptorBudget.process.giveBack() }
        guard let stream = fdopendir(number) else {
            let error = Errno.last
            _ = close(number)
            throw error
        }
        defer { closedir(stream) }
        while let entry = try Self.readEntry(of: stream, number) {
            withUnsafeBytes(of: &entry.pointee.d_name) { field in
                let name = UnsafeRawBufferPointer(rebasing: field.prefix { $0 != 0 })
                guard !name.elementsEqual(".".utf8), !name.elementsEqual("..".utf8) else { return }
                body(name, entry.pointee.d_type)
            }
        }
    }

    /// readdir(3) of a folder that `number` stands for; nil at its end.
    private static func readEntry(
        of stream: OpaquePointer,
        _ number: CInt
    ) throws(Errno) -> UnsafeMutablePointer<dirent>? {
        var entry: UnsafeMutablePointer<dirent>?
        try once(.readdir, number) { _ in
            errno = 0
            entry = readdir(stream)
            return entry == nil && errno != 0 ? -1 : 0
        }
        return entry
    }
}
