import CLinux
import FxferProtocol
import Glibc

/// What is done to a file shortly before and after it gets its name.
extension OwnedDescriptor {
    /// Sets permissions and time as they are to be published.
    func setAttributes(_ permissions: mode_t, _ modified: FileTime?) throws(Errno) {
        try self.setPermissions(permissions)
        if let modified { try self.setModified(modified) }
    }

    /// Has the disk begin to write the content, so that ``sync()`` will be short: sync_file_range(2). Whatever comes of it
    /// is told by that.
    func beginSync() {
        _ = clinux_begin_sync(self.number)
    }

    /// How long a publisher may need for its last fsync, in steps of a millisecond. No more, as the wait holds one of
    /// the disk threads, and any local user who can read the file can lock it.
    private static var publishersPatience: Int { 1000 }

    /// Waits while this file, which has its name, is being made durable: its publisher holds an exclusive flock(2) on it
    /// until then. False where somebody has it locked for longer.
    func waitForPublisher() throws(Errno) -> Bool {
        for _ in 0..<Self.publishersPatience {
            if try self.tryLock(.shared) {
                self.unlock()
                return true
            }
            var millisecond = timespec(tv_sec: 0, tv_nsec: 1_000_000)
            nanosleep(&millisecond, nil)
        }
        return false
    }

    /// Removes a name in this folder that `file` got, where the folder could not be made durable: the name must not stay
    /// without a receipt. Nobody has confirmed the file meanwhile: who wants to waits for its lock (``PublishedFile``).
    func withdraw(_ name: CPath, of file: FileStatus.Identity) {
        guard let there = try? self.status(of: name), there.identity == file else { return }
        try? self.remove(name)
    }

    /// Gives a name in `folder` to the file `staged` of this one, in one step. The regular file that has the name gets the
    /// staged one, under which it can be removed, or given its own back by ``withdraw(_:_:with:of:in:)``.
    ///
    /// - Parameter file: which file has the name; nil where it may be any.
    /// - Throws: EEXIST where something else has the name; ENOENT where nothing has it.
    func replace(
        _ name: CPath,
        in folder: borrowing OwnedDescriptor,
        with staged: CPath,
        _ file: FileStatus.Identity? = nil
    ) throws(Errno) -> Replacement {
        guard Self.isReplaceable(try folder.status(of: name), file) else { throw Errno(EEXIST) }
        do {
            try self.exchange(staged, with: name, in: folder)
        } catch {
            // No RENAME_EXCHANGE here: rename(2) replaces as well, but knows no way back.
            guard [EINVAL, ENOSYS, EOPNOTSUPP].contains(error.number) else { throw error }
            try self.rename(staged, to: folder, as: name)
            return .final
        }
        // Another may have put a link or a folder there since the look above.
        do throws(Errno) {
            guard Self.isReplaceable(try self.status(of: staged), file) else { throw Errno(EEXIST) }
        } catch {
            try? self.exchange(staged, with: name, in: folder)
            throw error
        }
        return .exchanged
    }

    private static func isReplaceable(_ status: FileStatus?, _ file: FileStatus.Identity?) -> Bool {
        guard let status else { return true }
        return status.kind == .regular && (file == nil || file == status.identity)
    }

    /// Takes ``replace(_:in:with:_:)`` back, unless the name stands for another file than `file` by now. Where nobody can
    /// tell, it does: else the old file would be lost for certain.
    func withdraw(
        _ replacement: Replacement,
        _ name: CPath,
        with staged: CPath,
        of file: FileStatus.Identity,
        in folder: borrowing OwnedDescriptor
    ) {
        guard replacement == .exchanged else { return }
        if let there = try? folder.status(of: name), there.identity != file { return }
        try? self.exchange(staged, with: name, in: folder)
    }

    /// pwrite(2) of all `bytes` at the file's beginning; no call where there are none.
    package func write(_ bytes: [UInt8]) throws(Errno) {
        guard !bytes.isEmpty else { return }
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(Errno) in try self.write(buffer, at: 0) }
        }
        try result.get()
    }
}

/// How a staged file took the name of another.
enum Replacement: Hashable, Sendable {
    /// The other one is kept until this one is durable.
    case exchanged
    /// The other one is gone: the file system cannot exchange names.
    case final
}
