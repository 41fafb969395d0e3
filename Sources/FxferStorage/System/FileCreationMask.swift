import Glibc
import Synchronization

/// The process's umask, read without changing it.
package enum FileCreationMask {
    /// What it is known to be: nothing but ``withhold(_:)`` changes it.
    private static let known = Mutex<mode_t?>(nil)

    /// The mask of this process.
    static func current() -> mode_t {
        Self.known.withLock { known in
            let mask = known ?? Self.read()
            known = mask
            return mask
        }
    }

    /// Takes these permissions from what the process makes from now on, beside those that the mask takes already. For a
    /// process with one thread: another one could make a file just while the mask is read.
    package static func withhold(_ permissions: mode_t) {
        Self.known.withLock { known in
            let mask = umask(0o777) | permissions
            umask(mask)
            known = mask
        }
    }

    /// The mask from `Umask:` in /proc/self/status (proc(5), Linux 4.7); 0o022 where that cannot be read.
    ///
    /// umask(2) itself can only be read by setting it, which other threads that create files would notice.
    private static func read() -> mode_t {
        guard let file = try? OwnedDescriptor.open(CPath("/proc/self/status"), O_RDONLY) else { return 0o022 }
        // `Umask:` is the second line, after a name of at most 64 bytes.
        let text = withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            String(decoding: buffer.prefix((try? file.read(into: buffer, at: 0)) ?? 0), as: UTF8.self)
        }
        return Self.parse(text) ?? 0o022
    }

    static func parse(_ status: String) -> mode_t? {
        status.split(separator: "\n")
            .first { $0.hasPrefix("Umask:") }
            .flatMap { mode_t($0.dropFirst(6).drop { $0 == "\t" || $0 == " " }, radix: 8) }
    }
}
