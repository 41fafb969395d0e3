import FxferNetwork
import FxferProtocol
import FxferStorage
import FxferTrust

/// How a ``FileServer`` listens and what it allows.
public struct ServerConfiguration: Sendable {
    /// The path of the directory that receives files, as the file system knows it; made if it does not exist.
    public var directory: [UInt8]
    /// Opens the store that receives files in place of the directory.
    package var storeOpening: (@Sendable () async throws -> any ServedStore)?
    /// The largest chunk that clients may send, in bytes: a store may have to hold one in memory.
    package var largestChunk: UInt32
    /// Is told how the server is.
    public var health: ServerHealth
    /// The address to listen on; nil for all addresses, IPv6 and IPv4.
    public var address: String?
    /// The TCP port; 0 for a free one.
    public var port: Int
    /// The socket to take clients from, in place of a new one on `address` and `port`.
    package var socket: ListeningSocket?
    /// How long transfers in flight may go on after a graceful shutdown began.
    public var grace: Duration
    /// Who may connect.
    public var access: AccessRule
    /// Whether bytes may come from other machines in the clear.
    public var allowsPlaintext: Bool
    /// What the server proves itself by; without it no TLS is spoken, and other machines cannot connect.
    public var identity: ServerIdentity?
    /// What clients may take of the server's time, memory, descriptors and disk.
    public var limits: ServerLimits
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
        self.storeOpening = nil
        self.largestChunk = Chunk.sizes.upperBound
        self.health = ServerHealth()
        self.address = nil
        self.port = Endpoint.defaultPort
        self.socket = nil
        self.grace = .seconds(10)
        self.access = .ownMachine
        self.allowsPlaintext = false
        self.identity = nil
        self.limits = ServerLimits()
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
