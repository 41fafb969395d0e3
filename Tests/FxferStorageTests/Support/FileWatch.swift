import Glibc

@testable import FxferStorage

/// Watches a file for being opened: inotify(7).
final class FileWatch: Sendable {
    private let descriptor: CInt

    init(_ path: String) throws {
        self.descriptor = inotify_init1(CInt(bitPattern: UInt32(O_CLOEXEC)))
        guard self.descriptor >= 0 else { throw Errno.last }
        try once { inotify_add_watch(self.descriptor, path, UInt32(IN_OPEN)) }
    }

    deinit {
        close(self.descriptor)
    }

    /// Returns as soon as the file is opened, or was since this value was made; half a minute later at the latest.
    func waitUntilOpened() {
        var request = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        poll(&request, 1, 30_000)
    }
}
