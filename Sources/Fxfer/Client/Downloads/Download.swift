import FxferProtocol

/// Something to get from a server, and the name that it gets here.
public struct Download: Sendable {
    /// A file or folder of the server.
    public let source: RelativePath
    /// The name that it gets in the receiving folder of this machine.
    public let destination: RelativePath

    /// Describes one download.
    public init(_ source: RelativePath, to destination: RelativePath) {
        self.source = source
        self.destination = destination
    }
}

/// Where downloads go.
public enum DownloadTarget: Sendable {
    /// Into this folder, under the downloads' names. A file that has such a name is replaced in one step, when the new
    /// one is complete and verified; until then it stays as it is.
    case folder([UInt8])
    /// Into this directory of a server, under the downloads' names, to repair files there that have decayed; nothing else
    /// is written. A file that is not what was stored there is refused.
    case repairs([UInt8])
    /// To standard output, each part as soon as it is verified.
    case standardOutput
}

/// How downloads are made.
public struct DownloadOptions: Sendable {
    /// What to do when the connection breaks.
    public var retry = RetryPolicy()
    /// What happens to a file whose name another one has here.
    public var conflict = ConflictRule.replace
    /// Limits how fast payload is taken in.
    public var limiter: RateLimiter?

    /// The defaults.
    public init() {}
}

/// A file or folder of a server's folder.
public struct ListedEntry: Hashable, Sendable {
    /// One component, any bytes but zero, `/` and control bytes.
    public let name: [UInt8]
    /// Whether it is a folder.
    public let isFolder: Bool
    /// Permission bits.
    public let permissions: UInt16
    /// Size in bytes; 0 for a folder.
    public let size: UInt64
    /// When it was last modified; `Int64.min` seconds where that is not known, see ``isTimeKnown``.
    public let modified: FileTime

    /// Whether anybody knows when it was modified: of a folder that only holds files, a bucket does not.
    public var isTimeKnown: Bool { self.modified != .unknown }

    init(_ entry: Entry) {
        self.name = entry.name
        self.isFolder = entry.kind == .folder
        self.permissions = entry.permissions
        self.size = entry.size
        self.modified = entry.modified
    }
}
