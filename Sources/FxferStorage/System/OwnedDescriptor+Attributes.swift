import FxferProtocol
import Glibc

extension OwnedDescriptor {
    /// fstat(2).
    package func status() throws(Errno) -> FileStatus {
        var status = stat()
        try once(.fstat, self.number) { fstat($0, &status) }
        return FileStatus(status)
    }

    /// fstatat(2) of a name in this folder; of a symbolic link itself. Nil where nothing has that name.
    func status(of name: CPath) throws(Errno) -> FileStatus? {
        var status = stat()
        do {
            try once(.fstatat, self.number) { fstatat($0, name.characters, &status, AT_SYMLINK_NOFOLLOW) }
        } catch {
            guard error.number == ENOENT else { throw error }
            return nil
        }
        return FileStatus(status)
    }

    /// fchmod(2). Ignored by file systems that keep no such bits (FAT, some network mounts: EPERM, EOPNOTSUPP).
    package func setPermissions(_ permissions: mode_t) throws(Errno) {
        do {
            try retrying(.fchmod, self.number) { fchmod($0, permissions) }
        } catch {
            guard [EPERM, EOPNOTSUPP].contains(error.number) else { throw error }
        }
    }

    /// futimens(2). Linux clamps a time to what the file system can hold; one that refuses it keeps its own.
    func setModified(_ time: FileTime) throws(Errno) {
        let unchanged = timespec(tv_sec: 0, tv_nsec: Self.omit)
        let modified = timespec(tv_sec: time_t(time.seconds), tv_nsec: Int(time.nanoseconds))
        do {
            try retrying(.futimens, self.number) { futimens($0, [unchanged, modified]) }
        } catch {
            guard [EINVAL, ERANGE, EOVERFLOW, EPERM, EOPNOTSUPP].contains(error.number) else { throw error }
        }
    }

    /// UTIME_OMIT of linux/stat.h, a macro that Swift does not see: leave this time as it is.
    private static let omit = (1 << 30) - 2

    /// How many bytes an ordinary user may still write to this file system, by fstatvfs(3); nil where it does not say.
    func availableBytes() throws(Errno) -> UInt64? {
        var status = statvfs()
        try retrying(.fstatvfs, self.number) { fstatvfs($0, &status) }
        guard status.f_blocks > 0 else { return nil }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return overflow ? nil : bytes
    }
}
