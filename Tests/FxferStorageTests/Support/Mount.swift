import Glibc

@testable import FxferStorage

/// A file system that a test mounts, ended with the value at the latest.
struct Mount: ~Copyable {
    enum Kind {
        case tmpfs(kilobytes: Int, readOnly: Bool)
    }

    private let place: String

    init(_ kind: Kind, at place: String) throws {
        guard case .tmpfs(let kilobytes, let readOnly) = kind else { throw Errno(EINVAL) }
        let options = "size=\(kilobytes)k,\(readOnly ? "ro" : "rw")"
        try runCommand(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place])
        self.place = place
    }

    deinit {
        // Lazily: whatever is still open there must not leave the mount behind.
        try? runCommand(["umount", "-l", self.place])
    }

    /// Ends it now: without this, it would end after its last use.
    consuming func end() {}

    /// Whether this machine lets tests mount.
    static let isPossible: Bool = {
        guard geteuid() == 0, let folder = try? TemporaryFolder() else { return false }
        do {
            try Mount(.tmpfs(kilobytes: 64, readOnly: false), at: folder.path).end()
            return true
        } catch {
            return false
        }
    }()
}
