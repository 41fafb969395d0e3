import FxferProtocol
import FxferStorage
import NIOCore

/// What was received of a file and is in no part yet, and the running digest of all of it.
struct StagedBytes: ~Copyable, Sendable {
    private(set) var isOpen = true
    private(set) var position: UInt64 = 0
    private(set) var hash = SHA256()
    private(set) var buffer = ByteBuffer()
    /// How many parts were closed.
    private(set) var parts = 0
    /// What the buffer may take.
    var share: TransferMemory.Share?
    private var kept: UInt64 = 0
    private var keptHash = SHA256()

    /// No bytes yet.
    init(share: TransferMemory.Share? = nil) {
        self.share = share
    }

    /// Goes on behind what the store has.
    ///
    /// - Parameter tail: what is verified behind the parts; with a share, where it is not empty.
    init(_ checkpoint: HashCheckpoint?, parts: Int, tail: ByteBuffer, share: TransferMemory.Share?) {
        if let checkpoint {
            self.hash = SHA256(checkpoint)
            self.position = checkpoint.position
        }
        self.parts = parts
        self.share = share
        self.hash.update(tail)
        self.buffer = tail
        self.position += UInt64(tail.readableBytes)
        self.keep()
    }

    /// False where it has ended, and nothing was added.
    mutating func append(_ pieces: [ByteBuffer]) -> Bool {
        guard self.isOpen else { return false }
        if self.buffer.capacity == 0, let share { self.buffer.reserveCapacity(share.bytes) }
        for bytes in pieces {
            self.buffer.writeImmutableBuffer(bytes)
            self.hash.update(bytes)
            self.position += UInt64(bytes.readableBytes)
        }
        return true
    }

    mutating func keep() {
        self.kept = self.position
        self.keptHash.become(self.hash)
    }

    mutating func rewind() {
        let surplus = Int(self.position - self.kept)
        self.buffer.moveWriterIndex(to: self.buffer.writerIndex - surplus)
        self.position = self.kept
        self.hash.become(self.keptHash)
    }

    /// - Parameter keepsShare: whether what the buffer may take is enough for what comes now.
    mutating func restart(keepingShare keepsShare: Bool) {
        self.buffer = ByteBuffer()
        if !keepsShare { self.share = nil }
        self.position = 0
        self.parts = 0
        self.hash = SHA256()
        self.keep()
    }

    /// Hands on the buffer as the next part. All of it has to be kept.
    mutating func closePart() -> ClosedPart {
        self.share?.endFilling()
        self.parts += 1
        let part = ClosedPart(
            number: self.parts,
            bytes: self.buffer,
            end: self.hash.checkpoint(at: self.position),
            share: self.share.take()
        )
        self.buffer = ByteBuffer()
        return part
    }

    /// The end: hands on what there is; nil where that was done before.
    mutating func finish() -> FinishedObject? {
        guard self.isOpen else { return nil }
        self.isOpen = false
        self.share?.endFilling()
        let finished = FinishedObject(
            size: self.position,
            digest: self.hash.digest(),
            parts: self.parts,
            rest: self.buffer,
            end: self.hash.checkpoint(at: self.position),
            share: self.share.take()
        )
        self.buffer = ByteBuffer()
        return finished
    }

    /// The end without success: hands on how much is verified, and what of that is in no part; nil where it has ended.
    mutating func giveUp() -> (kept: UInt64, bytes: ByteBuffer)? {
        guard self.isOpen else { return nil }
        self.rewind()
        self.isOpen = false
        defer {
            self.buffer = ByteBuffer()
            self.share = nil
        }
        return (self.kept, self.buffer)
    }
}

/// A file whose content is complete.
struct FinishedObject: Sendable {
    let size: UInt64
    let digest: Digest
    /// How many parts went up.
    let parts: Int
    /// What is behind them: all of it where there are none.
    let rest: ByteBuffer
    let end: HashCheckpoint
    let share: TransferMemory.Share?
}
