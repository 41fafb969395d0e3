import FxferProtocol
import Glibc
import NIOCore
import Synchronization

/// Standard input, or any pipe or other descriptor that is read to its end: its size is not known, and no byte of it
/// can be read twice.
///
/// What is not confirmed stays in memory, so that ``rewind(to:)`` can go back to it. Calls are made one after the
/// other; only ``confirm(_:)`` may come while a read waits for input.
package final class SourceStream: Source {
    /// Nothing is known.
    package let attributes = FileAttributes()
    /// What it is called in messages.
    package let name: String

    private let input: StreamInput
    private let pool: DiskPool
    private let trail = Mutex(StreamTrail())
    /// What was read and is not yet a whole chunk.
    private let pending = Mutex(ByteBuffer())

    /// Reads `descriptor`, which stays its owner's: it is open longer than the value lives, and not closed by it.
    package init(descriptor: CInt, name: String, pool: DiskPool = .shared) {
        self.name = name
        self.input = StreamInput(number: descriptor)
        self.pool = pool
    }

    /// What the process is fed with.
    package static func standardInput(pool: DiskPool = .shared) -> SourceStream {
        SourceStream(descriptor: STDIN_FILENO, name: "standard input", pool: pool)
    }

    /// Reads and hashes the next `count` bytes, fewer only where the input ends, and none after that; or the same
    /// chunk as before, whatever `count`, after ``rewind(to:)``.
    ///
    /// Waits for input on a thread of the pool, a tenth of a second at a time; a cancelled task ends in between and
    /// loses nothing.
    ///
    /// - Throws: `.io`, `.internal` where the offset is another one; `CancellationError`.
    package func read(at offset: UInt64, count: Int) async throws -> SourceChunk {
        guard self.trail.withLock({ $0.offset == offset }) else { throw self.misplaced(offset) }
        if let chunk = self.trail.withLock({ $0.next() }) { return chunk }
        var isFilled = false
        while !isFilled {
            try Task.checkCancellation()
            isFilled = try await self.pool.run { try self.fill(count) }
        }
        let bytes = self.pending.withLock { pending in
            // Asked for less than last time, there may be more than a chunk.
            let bytes = pending.readSlice(length: min(count, pending.readableBytes)) ?? ByteBuffer()
            if pending.readableBytes == 0 { pending = ByteBuffer() }
            return bytes
        }
        return self.trail.withLock { $0.append(bytes) }
    }

    /// Waits for up to a tenth of a second; answers whether there are `count` bytes or the input has ended.
    private func fill(_ count: Int) throws(FxferError) -> Bool {
        // Taken out, so that no lock is held while waiting.
        var bytes = self.pending.withLock { pending in
            defer { pending = ByteBuffer() }
            return pending
        }
        defer { self.pending.withLock { [bytes] in $0 = bytes } }
        do throws(Errno) {
            return try self.input.read(into: &bytes, until: count, for: .milliseconds(100))
        } catch {
            throw FxferError(.io, "cannot read \(self.name): \(error)", cause: error)
        }
    }

    /// The chunks before `offset` are let go of.
    package func confirm(_ offset: UInt64) {
        self.trail.withLock { $0.forget(before: offset) }
    }

    /// Goes back to `offset`, the end of a chunk that is not confirmed or the last confirmed offset: the chunks from
    /// there on come again, with the same bounds.
    ///
    /// - Throws: `.internal` where that place is not remembered.
    package func rewind(to offset: UInt64) throws {
        guard self.trail.withLock({ $0.goBack(to: offset) }) != nil else { throw self.misplaced(offset) }
    }

    /// Goes back to the start.
    ///
    /// - Throws: `.internal` where a part was confirmed already.
    package func restart() throws {
        try self.rewind(to: 0)
    }

    /// The digest of the first `length` bytes, where these are whole chunks in memory, or none; it reads nothing.
    ///
    /// - Throws: `.internal` where that place is not remembered.
    package func hashPrefix(_ length: UInt64) throws -> Digest {
        guard let digest = self.trail.withLock({ $0.goBack(to: length) }) else { throw self.misplaced(length) }
        return digest
    }

    /// Nothing of a stream can be skipped, as nothing is known of what a receiver has of it.
    ///
    /// - Throws: `.internal`.
    package func skip(to offset: UInt64) throws {
        throw self.misplaced(offset)
    }

    /// Nothing to do: a stream has no content but what was read.
    package func checkUnchanged() {}

    /// Nothing to let go of: what is in memory cannot be had again.
    package func releaseBuffers() {}

    private func misplaced(_ offset: UInt64) -> FxferError {
        FxferError(.internal, "\(self.name) cannot be read on from offset \(offset)")
    }
}
