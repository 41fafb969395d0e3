import Glibc

/// What kind of thing a name stands for (inode(7)); the raw value completes "is …".
package enum FileKind: String, Hashable, Sendable {
    case regular = "a file"
    case folder = "a directory"
    case link = "a symbolic link"
    case pipe = "a FIFO"
    case socket = "a socket"
    case device = "a device"

    init(mode: mode_t) {
        self =
            switch mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .folder
            case S_IFLNK: .link
            case S_IFIFO: .pipe
            case S_IFSOCK: .socket
            default: .device
            }
    }

    /// The kind that a folder tells of an entry (d_type of readdir(3)); nil where it does not.
    init?(entryType: UInt8) {
        switch Int(entryType) {
        case Int(DT_REG): self = .regular
        case Int(DT_DIR): self = .folder
        case Int(DT_LNK): self = .link
        case Int(DT_FIFO): self = .pipe
        case Int(DT_SOCK): self = .socket
        case Int(DT_CHR), Int(DT_BLK): self = .device
        default: return nil
        }
    }
}
