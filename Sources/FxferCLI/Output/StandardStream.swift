import Glibc

/// Standard output or standard error, written at once and whole.
struct StandardStream: Sendable {
    static let output = StandardStream(descriptor: STDOUT_FILENO)
    static let error = StandardStream(descriptor: STDERR_FILENO)

    private let descriptor: Int32

    /// Whether a person reads it.
    var isTerminal: Bool { isatty(self.descriptor) == 1 }

    /// Whether it is a terminal on which a line can be drawn again.
    var canMoveCursor: Bool {
        self.isTerminal && getenv("TERM").map { String(cString: $0) } != "dumb"
    }

    /// The width of the terminal in columns; 80 where it is not known.
    var columns: Int {
        var size = winsize()
        guard ioctl(self.descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Writes a line; answers whether all of it was taken.
    @discardableResult
    func write(line: String) -> Bool {
        self.write(bytes: Array("\(line)\n".utf8))
    }

    /// Writes bytes; answers whether all of them were taken (not so by a closed pipe or a full disk).
    @discardableResult
    func write(bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(self.descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    self.waitUntilWritable()
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }

    /// For a pipe that another process has made non-blocking.
    private func waitUntilWritable() {
        var request = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&request, 1, -1)
    }
}
