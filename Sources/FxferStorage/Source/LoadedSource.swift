import FxferProtocol
import NIOCore
import Synchronization

/// A ``LoadedFile`` as a source that is read in chunks: all of it is in memory, so every place can be gone back to.
///
/// Calls are made one after the other.
package final class LoadedSource: Source {
    package let file: LoadedFile
    private let offset = Mutex<UInt64>(0)

    package init(_ file: LoadedFile) {
        self.file = file
    }

    package var attributes: FileAttributes { self.file.attributes }

    private var size: UInt64 { UInt64(self.file.bytes.readableBytes) }

    /// The `count` bytes at `offset`; `.sourceChanged` where the file has fewer, as a ``SourceFile`` says it.
    package func read(at offset: UInt64, count: Int) async throws -> SourceChunk {
        try self.offset.withLock { place in
            guard place == offset else { throw self.file.source.misplaced(offset) }
            guard let count = UInt64(exactly: count), count <= self.size - offset else {
                throw self.file.source.changed()
            }
            place += count
            return SourceChunk(bytes: self.slice(offset, count), digest: self.digest(before: place))
        }
    }

    /// Nothing to forget: the file keeps its bytes.
    package func confirm(_ offset: UInt64) {}

    package func rewind(to offset: UInt64) throws {
        guard offset <= self.size else { throw self.file.source.misplaced(offset) }
        self.offset.withLock { $0 = offset }
    }

    package func restart() {
        self.offset.withLock { $0 = 0 }
    }

    package func hashPrefix(_ length: UInt64) throws -> Digest {
        guard length <= self.size else { throw self.file.source.changed() }
        self.offset.withLock { $0 = length }
        return self.digest(before: length)
    }

    package func skip(to offset: UInt64) throws {
        guard offset <= self.size else { throw self.file.source.changed() }
        self.offset.withLock { $0 = offset }
    }

    /// Nothing to do: the file was unchanged when it was read, and these are its bytes.
    package func checkUnchanged() {}

    package func releaseBuffers() {}

    private func digest(before offset: UInt64) -> Digest {
        guard offset < self.size else { return self.file.digest }
        var hash = SHA256()
        hash.update(self.slice(0, offset))
        return hash.digest()
    }

    /// A part that lies within the file.
    private func slice(_ offset: UInt64, _ count: UInt64) -> ByteBuffer {
        let start = self.file.bytes.readerIndex + Int(offset)
        return self.file.bytes.getSlice(at: start, length: Int(count)) ?? ByteBuffer()
    }
}
