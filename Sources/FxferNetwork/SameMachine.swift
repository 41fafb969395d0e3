import NIOCore

/// The trust boundary of a server without a token: its own machine.
package enum SameMachine {
    /// Whether a connection comes from the machine that it reached: its peer address is a loopback address, or equals
    /// the address that it connected to. (No other host can complete a TCP handshake with either.)
    package static func isSameMachine(peer: SocketAddress, local: SocketAddress) -> Bool {
        guard let peer = self.addressBytes(peer), let local = self.addressBytes(local) else { return false }
        return self.isLoopback(peer) || peer == local
    }

    /// Whether `channel`, which is connected, goes to the machine that it comes from.
    package static func isSameMachine(_ channel: any Channel) -> Bool {
        guard let peer = channel.remoteAddress, let local = channel.localAddress else { return false }
        return self.isSameMachine(peer: peer, local: local)
    }

    /// Whether an endpoint is this machine whoever asks: a loopback address, or the name that stands for one.
    package static func isLoopback(_ endpoint: Endpoint) -> Bool {
        let address = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port)
        return endpoint.host == "localhost" || address.flatMap(self.addressBytes).map(self.isLoopback) ?? false
    }

    private static func isLoopback(_ bytes: [UInt8]) -> Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes == Array(repeating: 0, count: 15) + [1]
    }

    /// 4 or 16 bytes; an IPv4 address that is mapped into IPv6 (::ffff:a.b.c.d) is given as IPv4.
    static func addressBytes(_ address: SocketAddress) -> [UInt8]? {
        switch address {
        case .v4(let address):
            return withUnsafeBytes(of: address.address.sin_addr) { Array($0) }
        case .v6(let address):
            let bytes = withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            return isMapped ? Array(bytes[12...]) : bytes
        case .unixDomainSocket:
            return nil
        }
    }
}
