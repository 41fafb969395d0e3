import FxferProtocol
import NIOCore

/// The chunks of a stream that are not confirmed, with a running hash, and which of them comes next.
///
/// Offsets are bytes from the stream's start.
struct StreamTrail: ~Copyable {
    private struct Piece {
        let chunk: SourceChunk
        /// Where it ends.
        let end: UInt64
    }

    /// Where the next chunk begins.
    private(set) var offset: UInt64 = 0
    private var hash = SHA256()
    /// The last confirmed place, where the first piece begins, and the digest of all bytes before it.
    private var start: (offset: UInt64, digest: Digest) = (0, .ofNothing)
    private var pieces: [Piece] = []
    /// How many of ``pieces`` lie before ``offset``.
    private var delivered = 0

    /// The remembered chunk at ``offset``, which goes beyond it; nil where none is remembered there.
    mutating func next() -> SourceChunk? {
        guard self.delivered < self.pieces.count else { return nil }
        let piece = self.pieces[self.delivered]
        self.delivered += 1
        self.offset = piece.end
        return piece.chunk
    }

    /// Hashes `bytes`, which follow on all chunks, and remembers them as a chunk, which it answers.
    mutating func append(_ bytes: ByteBuffer) -> SourceChunk {
        self.hash.update(bytes)
        let chunk = SourceChunk(bytes: bytes, digest: self.hash.digest())
        if bytes.readableBytes > 0 {
            self.offset += UInt64(bytes.readableBytes)
            self.pieces.append(Piece(chunk: chunk, end: self.offset))
            self.delivered += 1
        }
        return chunk
    }

    /// Forgets the delivered chunks that end at or before `offset`.
    mutating func forget(before offset: UInt64) {
        let count = self.pieces[..<self.delivered].prefix { $0.end <= offset }.count
        guard count > 0 else { return }
        let last = self.pieces[count - 1]
        self.start = (last.end, last.chunk.digest)
        self.pieces.removeFirst(count)
        self.delivered -= count
    }

    /// Goes to the remembered place at `offset`; answers the digest of all bytes before it, nil where there is none.
    mutating func goBack(to offset: UInt64) -> Digest? {
        if offset == self.start.offset {
            self.delivered = 0
            self.offset = offset
            return self.start.digest
        }
        guard let index = self.pieces.firstIndex(where: { $0.end == offset }) else { return nil }
        self.delivered = index + 1
        self.offset = offset
        return self.pieces[index].chunk.digest
    }
}
