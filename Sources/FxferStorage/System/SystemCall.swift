/// The system calls on files that can fail, by the names of their man pages.
///
/// close(2) is not among them: whatever it says, Linux has let go of the descriptor, and what was to be durable was
/// flushed before. Nor are calls whose result nobody asks for (sync_file_range(2), the unlocking flock(2)).
package enum SystemCall: CaseIterable, Sendable {
    /// open(2), openat(2), openat2(2).
    case open
    /// F_DUPFD_CLOEXEC of fcntl(2).
    case duplicate
    case stat
    case fstat
    case fstatat
    case fstatfs
    case fstatvfs
    case faccessat
    case pread
    case pwrite
    case ftruncate
    case fsync
    case fchmod
    case fchown
    case futimens
    case flock
    case mkdirat
    case unlinkat
    case linkat
    /// renameat(2), renameat2(2).
    case renameat
    case readdir
}
