import FxferProtocol
import Synchronization

/// Files that somebody else has written, or an earlier connection, and whose fsync(2) failed: it must not be called again
/// for them, as the kernel has marked the lost pages clean, and a second one "succeeds".
///
/// Known for as long as the process lives. A file that was modified since counts as another one.
final class FlushFailures: Sendable {
    /// Those of this process.
    static let process = FlushFailures()

    private struct Version: Hashable {
        let size: UInt64
        let modified: FileTime

        init(_ stamp: FileStatus.Stamp) {
            self.size = stamp.size
            self.modified = stamp.modified
        }
    }

    private let versions = Mutex<[FileStatus.Identity: Version]>([:])

    init() {}

    /// Whether an fsync of this file failed.
    func has(_ stamp: FileStatus.Stamp) -> Bool {
        self.versions.withLock { $0[stamp.identity] == Version(stamp) }
    }

    /// An fsync of this file has failed.
    func note(_ stamp: FileStatus.Stamp) {
        self.versions.withLock { $0[stamp.identity] = Version(stamp) }
    }

    /// A new file has this identity, so the one that had it is gone: inodes are used again, and a file that is sent once
    /// more has the size and the time that it had before.
    func forget(_ identity: FileStatus.Identity) {
        self.versions.withLock { if !$0.isEmpty { $0[identity] = nil } }
    }
}
