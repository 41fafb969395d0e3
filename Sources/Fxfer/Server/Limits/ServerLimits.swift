import FxferStorage
import NIOCore

/// What a ``FileServer`` lets its clients take of its time, memory, descriptors and disk.
public struct ServerLimits: Sendable {
    /// How long a new connection may take, from its first packet on, until it may use the server.
    public var handshakeTimeout: Duration
    /// How long a client may be silent while it is its turn.
    public var idleTimeout: Duration
    /// How many bytes a second a client has to bring, on average, of a frame or chunk that it has begun, and to take of
    /// what it has asked for; 0 for any rate.
    public var minRate: UInt64
    /// How many connections are served at once. Each takes a descriptor and one or two for each file that it has open.
    public var maxConnections: Int
    /// How many of them may come from one address (of IPv6: one network of 64 bits).
    public var maxConnectionsPerAddress: Int
    /// How many files a client may have open at once on one connection.
    public var filesInFlight: UInt16
    /// How many files, folders and connections of clients that are served the process may have open at once.
    public var maxOpen: Int
    /// The longest body of a control frame that is taken, in bytes: ``frameSizes``.
    public var maxFrameSize: UInt32
    /// How much is stored.
    public var storage: StorageLimits

    /// What ``maxFrameSize`` may be: a frame has room for the longest path in any case.
    public static let frameSizes: ClosedRange<UInt32> = 8192...65_536

    /// Sane defaults.
    public init() {
        self.handshakeTimeout = .seconds(10)
        self.idleTimeout = .seconds(60)
        self.minRate = 1024
        self.maxConnections = 1000
        self.maxConnectionsPerAddress = 256
        self.filesInFlight = 256
        self.maxOpen = .max
        self.maxFrameSize = 65_536
        self.storage = StorageLimits()
    }

    /// Lowers what cannot be kept by a process that may have so many descriptors.
    ///
    /// - Parameter eventLoops: how many event loops the process has or will have.
    public mutating func fit(descriptors: Int, eventLoops: Int = NIOSingletons.groupLoopCountSuggestion) {
        let free = max(0, descriptors - Self.ownDescriptors(eventLoops: eventLoops))
        self.maxConnections = max(1, min(self.maxConnections, free / 2))
        self.maxOpen = max(8, min(self.maxOpen, free - self.maxLingering - FileServer.maxNewcomers))
        // Four clients at once shall be able to have all files open that they may. Each takes two descriptors, and while
        // it is published one, with one more for each folder on its way; the next one comes meanwhile. With four folders
        // that makes 7, and 12 with some to spare.
        let files = max(1, self.maxOpen / (4 * 12))
        self.filesInFlight = min(self.filesInFlight, UInt16(clamping: files))
    }

    /// What the process cannot do without beside the six that the store has always open: 10 were counted (standard
    /// streams, listening socket, signals and timers), and 3 for each event loop. Four more are for what libraries open
    /// now and then.
    private static func ownDescriptors(eventLoops: Int) -> Int {
        14 + 3 * eventLoops
    }
}

extension ServerLimits {
    /// How many connections that are turned away may wait at once for their client to read why: closed at once, the
    /// reason would be lost.
    var maxLingering: Int { min(64, max(1, self.maxConnections / 8)) }
}
