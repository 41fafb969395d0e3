import FxferProtocol
import Glibc
import NIOCore
import Synchronization

/// The file that is sent: read from front to back in chunks, hashed once, able to go back to what is not confirmed.
///
/// Calls are made one after the other; only ``confirm(_:)`` may come while something is read. One descriptor is open as
/// long as the value lives.
package final class SourceFile: Source {
    /// Size, modification time and permissions when the file was opened.
    package let attributes: FileAttributes

    let name: SourceName
    private let file: OwnedDescriptor
    private let stamp: FileStatus.Stamp
    private let pool: DiskPool
    private let trail = Mutex(HashTrail())
    private let buffers = Mutex(ReadBuffers())
    /// What the receiver has verified. The trail hears of it at the next read: it may be busy with one for long.
    private let confirmed = Atomic<UInt64>(0)

    init(_ name: SourceName, _ file: consuming OwnedDescriptor, _ status: FileStatus, _ pool: DiskPool) {
        self.name = name
        self.file = file
        self.stamp = status.stamp
        self.attributes = status.attributes
        self.pool = pool
    }

    /// The size in bytes when the file was opened.
    package var size: UInt64 { self.stamp.size }

    /// Reads and hashes the `count` bytes at `offset`, where the last call ended: pread(2) in one hop to the pool.
    ///
    /// The end of the chunk is remembered for ``rewind(to:)`` until it is confirmed.
    ///
    /// - Throws: `.sourceChanged` where the file has fewer bytes by now, `.io` where it cannot be read, `.internal`
    ///   where the offset is another one; `CancellationError`.
    package func read(at offset: UInt64, count: Int) async throws -> SourceChunk {
        try await self.pool.run {
            try self.trail.withLock { trail throws(FxferError) in
                guard trail.offset == offset else { throw self.name.misplaced(offset) }
                trail.forget(before: self.confirmed.load(ordering: .relaxed))
                let bytes = try self.reading { () throws(Errno) in
                    try self.buffers.withLock { buffers throws(Errno) in
                        try buffers.fill { bytes throws(Errno) in
                            try trail.advance(over: self.file, count: count, into: &bytes)
                        }
                    }
                }
                guard bytes.readableBytes == count else { throw self.name.changed() }
                return SourceChunk(bytes: bytes, digest: trail.mark())
            }
        }
    }

    /// The receiver has verified everything before `offset`: it will not ask for anything before it again.
    package func confirm(_ offset: UInt64) {
        self.confirmed.store(offset, ordering: .relaxed)
    }

    /// Lets go of the memory that reading took; reading again takes it again.
    package func releaseBuffers() {
        self.buffers.withLock { $0 = ReadBuffers() }
    }

    /// Goes back to `offset`, the end of a chunk that is not confirmed or the last confirmed offset.
    ///
    /// - Throws: `.internal` where that place is not remembered.
    package func rewind(to offset: UInt64) throws {
        let isThere = self.trail.withLock { trail in
            trail.forget(before: self.confirmed.load(ordering: .relaxed))
            return trail.goBack(to: offset)
        }
        guard isThere else { throw self.name.misplaced(offset) }
    }

    /// Goes back to the start, as if nothing had been read.
    package func restart() {
        self.confirmed.store(0, ordering: .relaxed)
        self.trail.withLock { $0.restart() }
    }

    /// Reads and hashes the first `length` bytes and stays there: the next ``read(at:count:)`` goes on at `length`.
    ///
    /// One hop for each 16 MiB, between which a cancelled task ends. After an error, ``restart()`` comes first.
    ///
    /// - Throws: `.sourceChanged` where the file has fewer bytes, `.io`; `CancellationError`.
    package func hashPrefix(_ length: UInt64) async throws -> Digest {
        self.restart()
        return try await self.hash(upTo: length)
    }

    /// Goes on to `offset` as ``hashPrefix(_:)`` does from the start.
    package func skip(to offset: UInt64) async throws {
        _ = try await self.hash(upTo: offset)
    }

    private func hash(upTo end: UInt64) async throws -> Digest {
        while true {
            try Task.checkCancellation()
            let digest: Digest? = try await self.pool.run {
                try self.trail.withLock { trail throws(FxferError) in
                    guard trail.offset <= end else { throw self.name.misplaced(end) }
                    let count = min(end - trail.offset, DiskPool.bytesPerHop)
                    let done = try self.reading { () throws(Errno) in try trail.advance(over: self.file, count: count) }
                    guard done == count else { throw self.name.changed() }
                    return trail.offset == end ? trail.mark() : nil
                }
            }
            if let digest { return digest }
        }
    }

    /// Makes sure that the file is still what it was when it was opened: fstat(2), and no byte beyond the size.
    ///
    /// Size, mtime and ctime must be equal. ctime cannot be set by a program, and it moves when the file is written,
    /// renamed over or removed. Two gaps remain, which no reader can close: a write by another program to pages that it
    /// had mapped and dirtied before may move the times only at writeback, and a network file system may tell old times
    /// for as long as it caches them.
    ///
    /// - Throws: `.sourceChanged`, `.io`; `CancellationError`.
    package func checkUnchanged() async throws {
        try await self.pool.run {
            let status = try self.reading { () throws(Errno) in try self.file.status() }
            // Files of /proc and the like say 0 bytes and have more.
            var beyond = ByteBuffer()
            try self.reading { () throws(Errno) in try self.file.read(1, at: self.size, into: &beyond) }
            guard status.stamp == self.stamp, beyond.readableBytes == 0 else { throw self.name.changed() }
        }
    }

    /// The same open file as it is now, for another try: nothing is read of it yet, and changes count from here on.
    ///
    /// - Throws: `.io`, `.busy` where descriptors have run out; `CancellationError`.
    package func reopened() async throws -> SourceFile {
        try await self.pool.run {
            let file = try self.name.opening { try self.file.duplicate() }
            let status = try self.reading { () throws(Errno) in try Self.settledStatus(of: file) }
            return SourceFile(self.name, file, status, self.pool)
        }
    }

    private func reading<T>(_ call: () throws(Errno) -> T) throws(FxferError) -> T {
        do {
            return try call()
        } catch {
            throw self.name.unreadable(error, .io)
        }
    }
}
