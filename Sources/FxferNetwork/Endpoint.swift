import NIOCore

/// Where a server listens.
public struct Endpoint: Hashable, Sendable {
    /// A host name or an IP address; an IPv6 address without brackets.
    public var host: String
    /// A TCP port.
    public var port: Int

    /// fxfer's own port; the textbook's file server used it, too.
    public static let defaultPort = 3000

    /// Names a server.
    public init(host: String, port: Int = Endpoint.defaultPort) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST`, `HOST:PORT`, `[IPV6]:PORT` or a bare IPv6 address; nil where it is none of them.
    ///
    /// - Parameter defaultPort: the port where the text names none.
    public init?(parsing text: String, defaultPort: Int = Endpoint.defaultPort) {
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
            self.init(host: host, port: rest.isEmpty ? nil : rest.dropFirst(), defaultPort)
        } else if text.utf8.filter({ $0 == UInt8(ascii: ":") }).count > 1 {
            guard text.utf8.allSatisfy({ Self.ipv6Characters.contains($0) }) else { return nil }
            self.init(host: text[...], port: nil, defaultPort)
        } else {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            self.init(host: parts[0], port: parts.count > 1 ? parts[1] : nil, defaultPort)
        }
    }

    private static let ipv6Characters = Array("0123456789abcdefABCDEF:.".utf8)

    private init?(host: Substring, port: Substring?, _ defaultPort: Int) {
        // A number alone would be an IPv4 address (inet_aton(3)), and is a port that lacks its host.
        guard !host.isEmpty, !host.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "[") && $0 != UInt8(ascii: "]") })
        else { return nil }
        self.host = String(host)
        guard let port else {
            self.port = defaultPort
            return
        }
        guard let number = UInt16(port), number > 0, port.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }) else {
            return nil
        }
        self.port = Int(number)
    }
}

extension Endpoint {
    /// The endpoint of a socket address; an IPv4 address that is mapped into IPv6 is shown as IPv4.
    public init(_ address: SocketAddress) {
        let text = address.ipAddress ?? "unknown"
        let mapped = "::ffff:"
        let isMapped = text.hasPrefix(mapped) && text.contains(".")
        self.init(host: isMapped ? String(text.dropFirst(mapped.count)) : text, port: address.port ?? 0)
    }
}

extension Endpoint {
    /// Whether the host is an IP address, with a scope or without, not a name.
    package var isAddress: Bool {
        self.host.contains(":") || (try? SocketAddress(ipAddress: self.host, port: self.port)) != nil
    }
}

extension Endpoint: CustomStringConvertible {
    /// `HOST:PORT`, an IPv6 address in brackets.
    public var description: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }
}
