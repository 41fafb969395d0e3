import FxferProtocol
import Glibc
import NIOCore
import Synchronization

/// A TCP socket that listens: clients can connect from now on, and wait until a server takes them.
///
/// It is made by plain system calls on the calling thread, so that a process can have it before it gives up the right to
/// make one. It is closed with its last owner, unless a server took it.
package final class ListeningSocket: Sendable {
    /// How many clients may wait to be taken.
    static let backlog: CInt = 1024

    /// nil once an owner has taken it.
    private let descriptor: Mutex<CInt?>

    private init(_ descriptor: CInt) {
        self.descriptor = Mutex(descriptor)
    }

    deinit {
        if let descriptor = self.take() { close(descriptor) }
    }

    /// Gives the descriptor to an owner that closes it itself; nil where it has one already.
    func take() -> CInt? {
        self.descriptor.withLock { descriptor in
            defer { descriptor = nil }
            return descriptor
        }
    }

    /// Where it listens; nil once an owner has taken it.
    package var endpoint: Endpoint? {
        self.descriptor.withLock { $0.flatMap(Self.address) }.map { Endpoint($0) }
    }

    private static func address(of socket: CInt) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { bytes in
            let result = bytes.withMemoryRebound(to: sockaddr.self) { address in
                getsockname(socket, address.baseAddress, &length)
            }
            guard result == 0 else { return nil }
            switch CInt(bytes.load(as: sockaddr.self).sa_family) {
            case AF_INET: return SocketAddress(bytes.load(as: sockaddr_in.self))
            case AF_INET6: return SocketAddress(bytes.load(as: sockaddr_in6.self))
            default: return nil
            }
        }
    }
}

// MARK: One of our own

extension ListeningSocket {
    /// Listens on one address, or on all of them, IPv6 and IPv4 (where there is no IPv6, on those of IPv4). Blocks while
    /// a host name is looked up.
    ///
    /// - Parameters:
    ///   - address: an IP address or host name; nil for all addresses.
    ///   - port: a TCP port; 0 for a free one.
    ///   - option: what of the command line chooses another place.
    /// - Throws: `cannotConnect`, which names the address and what to do.
    package static func open(
        address: String?,
        port: Int,
        option: String = "--listen"
    ) throws(FxferError) -> ListeningSocket {
        do {
            guard let address else { return try Self.openForAll(port) }
            return try Self.open(address, port, servesBothFamilies: false)
        } catch {
            let place = Endpoint(host: address ?? "::", port: port)
            let reason = NetworkErrorText.text(of: error)
            throw FxferError(
                .cannotConnect,
                "cannot listen on \(place): \(reason); choose another place with \(option)",
                cause: error
            )
        }
    }

    private static func openForAll(_ port: Int) throws -> ListeningSocket {
        do {
            return try Self.open("::", port, servesBothFamilies: true)
        } catch let error as IOError where [EAFNOSUPPORT, EADDRNOTAVAIL].contains(error.errnoCode) {
            // A kernel without IPv6, or one that was told to have no addresses of it.
            return try Self.open("0.0.0.0", port, servesBothFamilies: false)
        }
    }

    /// Listens on the first address of `host` that can be had; tells why the last one cannot.
    private static func open(_ host: String, _ port: Int, servesBothFamilies: Bool) throws -> ListeningSocket {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Self.streamType
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &list) == 0 else {
            throw UnresolvedHost()
        }
        defer { freeaddrinfo(list) }
        var failure: any Error = UnresolvedHost()
        var next = list
        while let address = next?.pointee {
            do {
                return try Self.listen(on: address, servesBothFamilies)
            } catch {
                failure = error
            }
            next = address.ai_next
        }
        throw failure
    }

    private static func listen(on address: addrinfo, _ servesBothFamilies: Bool) throws(IOError) -> ListeningSocket {
        let type = Self.streamType | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let listener = ListeningSocket(
            try Self.call("socket") { socket(address.ai_family, type, address.ai_protocol) }
        )
        try listener.descriptor.withLock { descriptor throws(IOError) in
            guard let descriptor else { return }
            try Self.set(SOL_SOCKET, SO_REUSEADDR, to: 1, on: descriptor)
            if servesBothFamilies { try Self.set(CInt(IPPROTO_IPV6), IPV6_V6ONLY, to: 0, on: descriptor) }
            try Self.call("bind") { bind(descriptor, address.ai_addr, address.ai_addrlen) }
            try Self.call("listen") { Glibc.listen(descriptor, Self.backlog) }
        }
        return listener
    }

    private static let streamType = CInt(SOCK_STREAM.rawValue)

    private static func set(_ level: CInt, _ option: CInt, to value: CInt, on socket: CInt) throws(IOError) {
        var value = value
        try Self.call("setsockopt") {
            setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
        }
    }

    @discardableResult
    private static func call(_ name: String, _ body: () -> CInt) throws(IOError) -> CInt {
        let result = body()
        guard result != -1 else { throw IOError(errnoCode: errno, reason: name) }
        return result
    }
}

// MARK: One that was inherited

extension ListeningSocket {
    /// Takes over a descriptor that this process was started with. Programs that it starts do not get it.
    ///
    /// - Throws: `usage` where it is no TCP socket that listens; it is left as it is then.
    package static func inherit(_ descriptor: CInt) throws(FxferError) -> ListeningSocket {
        let families = [AF_INET, AF_INET6]
        guard Self.option(SO_TYPE, of: descriptor) == Self.streamType,
            Self.option(SO_DOMAIN, of: descriptor).map(families.contains) == true,
            Self.option(SO_ACCEPTCONN, of: descriptor) == 1,
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) != -1
        else {
            throw FxferError(
                .usage,
                "cannot listen on descriptor \(descriptor), which this process was started with: it is no TCP socket "
                    + "that listens; see ListenStream= in systemd.socket(5)"
            )
        }
        return ListeningSocket(descriptor)
    }

    /// The value of a number at SOL_SOCKET; nil where the descriptor is none of a socket.
    private static func option(_ option: CInt, of socket: CInt) -> CInt? {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(socket, SOL_SOCKET, option, &value, &length) == 0 ? value : nil
    }
}
