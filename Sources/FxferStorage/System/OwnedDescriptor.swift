import CLinux
import Glibc
import NIOCore

/// An open file or folder with one owner: it is closed when the owner lets go of it.
///
/// Every call on a name is relative to a descriptor. Only ``open(_:_:mode:)`` and ``open(_:_:in:)`` follow symbolic links;
/// they are for paths that the operator or the user of this machine chose.
package struct OwnedDescriptor: ~Copyable, Sendable {
    package let number: CInt

    /// Takes what `open` answers, where the ``DescriptorBudget`` has room for it.
    private init(_ open: () throws(Errno) -> CInt) throws(Errno) {
        try DescriptorBudget.process.take()
        do throws(Errno) {
            self.number = try open()
        } catch {
            DescriptorBudget.process.giveBack()
            throw error
        }
    }

    deinit {
        // Never retried: Linux has released the number even where close(2) fails, and another thread may have it now.
        _ = close(self.number)
        DescriptorBudget.process.giveBack()
    }

    /// Gives the number to an owner that closes it itself, and gives it back to the ``DescriptorBudget`` then.
    consuming func release() -> CInt {
        let number = self.number
        discard self
        return number
    }
}

extension OwnedDescriptor {
    /// open(2) of a path of this machine's own user; symbolic links are followed. O_CLOEXEC is added.
    /// `mode` is for O_CREAT.
    package static func open(_ path: CPath, _ flags: CInt, mode: mode_t = 0) throws(Errno) -> OwnedDescriptor {
        try OwnedDescriptor { () throws(Errno) in
            try retrying(.open, path) { Glibc.open($0, flags | O_CLOEXEC, mode) }
        }
    }

    /// openat(2) of a path of this machine's own user; symbolic links are followed. O_CLOEXEC is added.
    static func open(
        _ path: CPath,
        _ flags: CInt,
        in folder: borrowing OwnedDescriptor
    ) throws(Errno) -> OwnedDescriptor {
        let folder = folder.number
        return try OwnedDescriptor { () throws(Errno) in
            try retrying(.open, folder) { openat($0, path.characters, flags | O_CLOEXEC) }
        }
    }

    /// openat2(2) of a name in this folder, never through a symbolic link (ELOOP) nor out of the folder (EXDEV).
    package func openBeneath(_ name: CPath, _ flags: CInt, mode: mode_t = 0) throws(Errno) -> OwnedDescriptor {
        try OwnedDescriptor { () throws(Errno) in
            try retrying(.open, self.number) {
                clinux_open_beneath($0, name.characters, UInt64(UInt32(bitPattern: flags)), mode)
            }
        }
    }

    /// The folder `name` in this one, open for reading (so that it can be made durable).
    func openFolderBeneath(_ name: CPath) throws(Errno) -> OwnedDescriptor {
        try self.openBeneath(name, O_RDONLY | O_DIRECTORY)
    }

    /// A second descriptor for the same open file: F_DUPFD_CLOEXEC of fcntl(2).
    func duplicate() throws(Errno) -> OwnedDescriptor {
        try OwnedDescriptor { () throws(Errno) in
            try retrying(.duplicate, self.number) { fcntl($0, F_DUPFD_CLOEXEC, 0) }
        }
    }

    /// fsync(2): content and attributes of this file, or the entries of this folder, are durable afterwards.
    ///
    /// After it threw it must not be called again for that file; see ``retrying(_:)``.
    package func sync() throws(Errno) {
        let began = NIODeadline.now()
        defer { FlushObserver.process.flushed(since: began) }
        try once(.fsync, self.number) { fsync($0) }
    }

    /// flock(2) without waiting: false where another open file description holds a lock in the way.
    func tryLock(_ kind: LockKind) throws(Errno) -> Bool {
        do {
            try retrying(.flock, self.number) { flock($0, kind.rawValue | LOCK_NB) }
            return true
        } catch {
            guard error.number == EWOULDBLOCK else { throw error }
            return false
        }
    }

    /// flock(2), waiting until no other open file description holds a lock: for locks that are held for a moment.
    package func lock() throws(Errno) {
        try retrying(.flock, self.number) { flock($0, LOCK_EX) }
    }

    /// Lets go of a lock that ``tryLock(_:)`` took.
    func unlock() {
        _ = flock(self.number, LOCK_UN)
    }

    /// Who else may hold a lock at the same time: other shared ones, or nobody.
    enum LockKind: CInt {
        case shared = 1
        case exclusive = 2
    }
}
