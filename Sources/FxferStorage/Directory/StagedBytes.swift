import FxferProtocol
import NIOCore

/// The content of a staged file, wherever it is: on disk or in memory.
struct StagedBytes: ~Copyable, Sendable {
    // One of the two, not an enumeration: its payload could not be changed in place.
    private var disk: StagedContent?
    private var memory: MemoryContent?

    init(_ content: consuming StagedContent) {
        self.disk = consume content
    }

    init(_ content: consuming MemoryContent) {
        self.memory = consume content
    }

    /// `mutating`, as a part that cannot be copied cannot be read through an optional otherwise.
    var position: UInt64 {
        mutating get { self.memory?.position ?? self.disk?.position ?? 0 }
    }

    /// Whether a later try can go on from it.
    var isResumable: Bool {
        mutating get { self.disk?.isResumable ?? false }
    }

    mutating func runningDigest() -> Digest {
        self.memory?.runningDigest() ?? self.disk?.runningDigest() ?? .ofNothing
    }

    mutating func appendInMemory(_ bytes: ByteBuffer) -> Bool {
        self.memory?.appendIfFits(bytes) ?? false
    }

    /// Adds `pieces`, for a thread of `pool`.
    mutating func append(_ pieces: [ByteBuffer], on pool: DiskPool) throws(FxferError) {
        for bytes in pieces { try self.memory?.append(bytes) }
        try self.disk?.append(pieces, on: pool)
    }

    /// See ``StagedContent/fill(upTo:on:)``. What is in memory repairs nothing.
    mutating func fill(upTo offset: UInt64, on pool: DiskPool) throws(FxferError) {
        guard self.memory == nil else { throw .repairsNone }
        try self.disk?.fill(upTo: offset, on: pool)
    }

    mutating func keep() {
        self.memory?.keep()
        self.disk?.keep()
    }

    mutating func rewind() {
        self.memory?.rewind()
        self.disk?.rewind()
    }

    mutating func restart() {
        self.memory?.restart()
        self.disk?.restart()
    }

    mutating func discard() {
        self.memory?.discard()
        self.disk?.discard()
    }

    /// Leaves what is verified for a later try; see ``StagedContent/leave(atMost:)``. Of memory nothing is left.
    mutating func leave(atMost maxBytes: UInt64) -> Bool {
        self.memory?.discard()
        return self.disk?.leave(atMost: maxBytes) ?? false
    }

    /// See ``StagedContent/handOver(afterSilence:atMost:)``.
    mutating func handOver(afterSilence silence: Duration, atMost maxBytes: UInt64) -> Bool {
        self.disk?.handOver(afterSilence: silence, atMost: maxBytes) ?? true
    }

    mutating func takeForPublishing() throws(FxferError) -> FinishedContent {
        if let content = try self.memory?.takeForPublishing() { return content }
        if let finished = try self.disk?.takeForPublishing() { return FinishedContent(finished) }
        preconditionFailure("a staged file is on disk or in memory")
    }
}
