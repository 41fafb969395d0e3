import FxferNetwork
import FxferStorage

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
    /// Whether clients may list the directory and get files from it.
    public var isSharing: Bool
    /// What happens to a file whose name another one has.
    public var conflict: ConflictRule
    /// How long what an interrupted upload has brought is kept, so that it can be gone on with; 0 for not at all.
    public var keepPartials: Duration
    /// How many bytes such parts may take in all; the oldest go first.
    public var maxPartialBytes: UInt64
    /// Limits the payload of all connections together; nil for no limit.
    public var limiter: RateLimiter?
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
        self.filesInFlight = 256
        self.maxConnections = 1000
        self.isSharing = false
        self.conflict = .refuse
        self.keepPartials = .seconds(24 * 60 * 60)
        self.maxPartialBytes = 100 << 30
        self.limiter = nil
        self.guest = nil
    }
}

extension ServerConfiguration {
    /// What of this the store has to know.
    var storing: DirectoryStore.Options {
        var options = DirectoryStore.Options()
        options.keepPartialsFor = self.keepPartials
        options.maxPartialBytes = self.maxPartialBytes
        options.conflict = self.conflict.policy
        return options
    }
}
