import FxferProtocol
import FxferStorage

/// What an interrupted upload has brought to a server's directory, so that it can be gone on with.
public struct KeptPartial: Hashable, Sendable {
    /// Where the file is to be stored.
    public let path: RelativePath
    /// The size that was announced, in bytes.
    public let size: UInt64
    /// How many bytes are there and verified.
    public let verified: UInt64
    /// When the last part was written.
    public let lastWrite: FileTime
    /// Whether a server receives it just now.
    public let isInUse: Bool

    /// Lists the parts in the directory of a server, running or not, in the order of their paths' bytes.
    ///
    /// - Throws: ``FxferError`` with `noInput` where the directory does not exist, or `io`; `CancellationError`.
    public static func list(in directory: [UInt8]) async throws -> [KeptPartial] {
        try await DirectoryStore.partials(in: directory).map(KeptPartial.init)
    }

    package init(_ partial: PartialSummary) {
        self.path = partial.path
        self.size = partial.size
        self.verified = partial.verified
        self.lastWrite = partial.lastWrite
        self.isInUse = partial.isInUse
    }
}
