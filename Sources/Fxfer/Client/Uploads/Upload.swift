import FxferProtocol

/// Something to send, and the name that it gets.
public struct Upload: Sendable {
    /// Where the bytes come from.
    public enum Source: Hashable, Sendable {
        /// A file or folder of this machine, by its path as the file system knows it.
        case path([UInt8])
        /// Standard input, to its end.
        case standardInput
    }

    /// Where the bytes come from.
    public let source: Source
    /// Where it is stored, relative to the server's directory; nil for a folder whose contents go right into it.
    public let destination: RelativePath?
    /// What the content of a file has to be, or it is not published.
    public let expected: ExpectedContent?

    /// Describes one upload.
    public init(_ source: Source, to destination: RelativePath?, expected: ExpectedContent? = nil) {
        self.source = source
        self.destination = destination
        self.expected = expected
    }
}

/// How uploads are made.
public struct UploadOptions: Sendable {
    /// What is asked about a file that the server may have already.
    public enum Comparison: String, Sendable, CaseIterable {
        /// Its SHA-256: what is equal is not sent again, and gets its receipt.
        case digest
        /// Its size and modification time: what has the same is not read, not sent, and gets no receipt.
        case quick
    }

    /// What is asked about a file that the server may have already; nil to send small files without asking.
    public var comparison: Comparison?
    /// Whether symbolic links inside folders are followed; they are skipped otherwise.
    public var followsLinks = false
    /// Patterns of what is left out of folders; see `fxfer send --help`.
    public var excludes: [[UInt8]] = []
    /// Whether the server has to sign its receipts: they are ``TransferReceipt/signed`` then. One that cannot is sent
    /// nothing.
    public var wantsReceipts = false
    /// How far the server has to go to keep a file before it acknowledges it. One that cannot go as far is sent nothing.
    public var level = Durability.durable
    /// What to do when the connection breaks.
    public var retry = RetryPolicy()
    /// Limits how fast payload is sent.
    public var limiter: RateLimiter?

    /// The defaults.
    public init() {}
}
