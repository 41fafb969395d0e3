import FxferNetwork

/// How a ``FileServer`` listens and what it allows.
public struct ServerConfiguration: Sendable {
    /// The path of the directory that receives files, as the file system knows it; made if it does not exist.
    public var directory: [UInt8]
    /// The address to listen on; nil for all addresses, IPv6 and IPv4.
    public var address: String?
    /// The TCP port; 0 for a free one.
    public var port: Int
    /// How long transfers in flight may go on after a graceful shutdown began.
    public var grace: Duration
    /// How long a new connection may take to say HELLO.
    public var handshakeTimeout: Duration
    /// How long a client may be silent while it is its turn.
    public var idleTimeout: Duration
    /// How many files a client may have open at once on one connection.
    public var filesInFlight: UInt16
    /// How many connections are served at once; more are turned away. Each takes a descriptor and one for each file
    /// that it has open.
    public var maxConnections: Int
    /// Another protocol that is spoken on the same port.
    public var guest: GuestProtocol?

    /// Receives into `directory`; the rest has sane defaults.
    public init(directory: [UInt8]) {
        self.directory = directory
        self.address = nil
        self.port = Endpoint.defaultPort
        self.grace = .seconds(10)
        self.handshakeTimeout = .seconds(10)
        self.idleTimeout = .seconds(60)
        self.filesInFlight = 64
        self.maxConnections = 1000
        self.guest = nil
    }
}
