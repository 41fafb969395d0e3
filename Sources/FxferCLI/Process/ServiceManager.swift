import Glibc

/// What the service manager that started this process hears of it: sd_notify(3), without its library. Where there is no
/// manager, or it does not listen, nothing happens.
struct ServiceManager: Sendable {
    /// Connected, and open as long as the process lives; nil where nobody wants to hear.
    private let socket: CInt?

    /// Connects to the socket that NOTIFY_SOCKET names: a path, or an abstract name behind `@`.
    ///
    /// A connected socket needs no permission later, in a sandbox.
    static func connect() -> ServiceManager {
        guard let name = getenv("NOTIFY_SOCKET") else { return ServiceManager(socket: nil) }
        let bytes = UnsafeBufferPointer(start: name, count: strlen(name)).map(UInt8.init(bitPattern:))
        return ServiceManager(socket: Self.connect(to: bytes))
    }

    /// Whether there is one.
    var isListening: Bool { self.socket != nil }

    /// Clients can connect.
    ///
    /// - Parameter status: one line for people; nil where the last one stays.
    func ready(status: String? = nil) {
        self.send("READY=1" + (status.map { "\nSTATUS=\($0)" } ?? ""))
    }

    /// The configuration is read anew; ``ready(status:)`` is to follow.
    func reloading() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let microseconds = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
        self.send("RELOADING=1\nMONOTONIC_USEC=\(microseconds)")
    }

    /// The shutdown has begun.
    func stopping() {
        self.send("STOPPING=1")
    }

    private func send(_ message: String) {
        guard let socket else { return }
        let bytes = Array(message.utf8)
        while Glibc.send(socket, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == -1, errno == EINTR {}
    }

    private static func connect(to name: [UInt8]) -> CInt? {
        guard let (address, length) = Self.address(of: name) else { return nil }
        let socket = Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard socket != -1 else { return nil }
        let isConnected = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(socket, $0, length) == 0 }
        }
        guard isConnected else {
            close(socket)
            return nil
        }
        return socket
    }

    /// unix(7): an abstract name begins with a zero and has no zero behind it. nil for a name of another kind, or one
    /// that is too long.
    static func address(of name: [UInt8]) -> (sockaddr_un, socklen_t)? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let isAbstract = name.first == UInt8(ascii: "@")
        guard isAbstract || name.first == UInt8(ascii: "/"), name.count > 1 else { return nil }
        let bytes = isAbstract ? [0] + name.dropFirst() : name + [0]
        guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        return (address, socklen_t(offset + bytes.count))
    }
}
