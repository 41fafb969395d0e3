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

    /// Removes the name that this file got, where the folder could not be made durable: the name must not stay without
    /// a receipt. Nobody has confirmed the file meanwhile: who wants to waits for its lock (``PublishedFile``).
    func withdraw(from folder: borrowing OwnedDescriptor, _ name: CPath) {
        guard self.has(name, in: folder) else { return }
        try? folder.remove(name)
    }

    /// Whether the name stands for this file.
    func has(_ name: CPath, in folder: borrowing OwnedDescriptor) -> Bool {
        guard let own = try? self.status(), let there = try? folder.status(of: name) else { return false }
        return own.identity == there.identity
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
