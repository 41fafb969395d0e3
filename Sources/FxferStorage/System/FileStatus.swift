import FxferProtocol
import Glibc

/// What stat(2) says about a file, as far as it is of interest here.
package struct FileStatus: Hashable, Sendable {
    /// Which file this is, whatever its name.
    struct Identity: Hashable, Sendable {
        let device: dev_t
        let inode: ino_t
    }

    /// What cannot stay the same when content is changed: where two of these are equal, so was the content, within
    /// what the file system's clock can tell apart; see ``SourceFile/checkUnchanged()``.
    struct Stamp: Hashable, Sendable {
        let identity: Identity
        let size: UInt64
        let modified: FileTime
        let changed: FileTime
    }

    let stamp: Stamp
    package let kind: FileKind
    package let permissions: UInt16
    /// The set-id and sticky bits, which never travel.
    let specialBits: mode_t
    let links: UInt64
    package let owner: uid_t

    var identity: Identity { self.stamp.identity }
    package var size: UInt64 { self.stamp.size }

    /// What a sender says about this file or folder.
    var attributes: FileAttributes {
        FileAttributes(
            size: self.size,
            modified: self.stamp.modified,
            permissions: self.permissions,
            isFolder: self.kind == .folder
        )
    }

    init(_ status: stat) {
        self.stamp = Stamp(
            identity: Identity(device: status.st_dev, inode: status.st_ino),
            size: UInt64(clamping: status.st_size),
            modified: FileTime(status.st_mtim),
            changed: FileTime(status.st_ctim)
        )
        self.kind = FileKind(mode: status.st_mode)
        self.permissions = UInt16(truncatingIfNeeded: status.st_mode) & FileAttributes.permissionMask
        self.specialBits = status.st_mode & 0o7000
        self.links = UInt64(status.st_nlink)
        self.owner = status.st_uid
    }
}

extension FileTime {
    /// What the system's clock says.
    package static func now() -> FileTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return FileTime(time)
    }

    init(_ time: timespec) {
        self.init(seconds: Int64(time.tv_sec), nanoseconds: UInt32(clamping: time.tv_nsec))
    }
}
