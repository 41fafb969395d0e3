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
        try Self.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place])
        self.place = place
    }

    deinit {
        // Lazily: whatever is still open there must not leave the mount behind.
        try? Self.run(["umount", "-l", self.place])
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

    private static func run(_ command: [String]) throws {
        var process = pid_t()
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        defer { arguments.forEach { free($0) } }
        arguments.append(nil)
        let error = posix_spawnp(&process, command[0], nil, nil, arguments, environ)
        guard error == 0 else { throw Errno(error) }
        var status: CInt = 0
        try retrying { waitpid(process, &status, 0) }
        guard status == 0 else { throw Errno(EPERM) }
    }
}
