import Glibc

/// What kind of thing a name stands for (inode(7)); the raw value completes "is …".
enum FileKind: String, Hashable, Sendable {
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
}
