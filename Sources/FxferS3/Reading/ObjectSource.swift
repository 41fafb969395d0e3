import FxferProtocol
import FxferStorage
import NIOCore
import Synchronization

/// An object that is given to a client: read in windows, ahead of what is asked for, and hashed once.
///
/// All windows are of the object as it was when it was opened: another one that takes its name meanwhile is an error.
final class ObjectSource: Source {
    /// How much is asked of the store at once, in bytes.
    private static let window: UInt64 = 1 << 20
    /// How much where there is no memory for a window.
    private static let piece: UInt64 = 256 << 10

    /// What was read ahead, or is being read.
    private struct Window {
        let start: UInt64
        let bytes: ByteBuffer
        let share: TransferMemory.Share

        /// The offset behind the last byte.
        var end: UInt64 { self.start + UInt64(self.bytes.readableBytes) }
    }

    private struct Fetch {
        let start: UInt64
        let share: TransferMemory.Share
        let bytes: Task<ByteBuffer, any Error>
    }

    private struct State: ~Copyable {
        var trail = HashTrail()
        var window: Window?
        var next: Fetch?
        var confirmed: UInt64 = 0
        /// The digest of the whole, once it was read.
        var digest: Digest?
    }

    let attributes: FileAttributes
    private let client: S3Client
    private let object: StoredObject
    private let memory: ReadMemory
    /// What was written down of its content; nil where nobody has.
    private let digest: Digest?
    private let state = Mutex(State())

    init(_ client: S3Client, _ object: StoredObject, _ memory: ReadMemory, digest: Digest?) {
        self.client = client
        self.memory = memory
        self.object = object
        self.digest = digest
        self.attributes = object.attributes
    }

    deinit {
        self.releaseBuffers()
    }

    func read(at offset: UInt64, count: Int) async throws -> SourceChunk {
        guard self.state.withLock({ $0.trail.offset }) == offset else { throw self.misplaced(offset) }
        let bytes = try await self.bytes(at: offset, count: count)
        guard bytes.readableBytes == count else { throw self.changed() }
        return self.state.withLock { state in
            state.trail.forget(before: state.confirmed)
            bytes.withUnsafeReadableBytes { state.trail.advance(over: $0) }
            let digest = state.trail.mark()
            if state.trail.offset == self.object.size { state.digest = digest }
            return SourceChunk(bytes: bytes, digest: digest)
        }
    }

    /// The bytes from `offset` on; fewer where the object ends. They are no part of a window, which whoever has them
    /// would keep in memory as a whole.
    private func bytes(at offset: UInt64, count: Int) async throws -> ByteBuffer {
        let end = min(offset + UInt64(count), self.object.size)
        var bytes = ByteBuffer()
        bytes.reserveCapacity(Int(end - offset))
        var position = offset
        while position < end {
            if let window = try await self.window(with: position) {
                let from = window.bytes.readerIndex + Int(position - window.start)
                let length = Int(min(end, window.end) - position)
                guard let slice = window.bytes.getSlice(at: from, length: length) else { throw self.changed() }
                bytes.writeImmutableBuffer(slice)
                position += UInt64(length)
                if position == window.end { self.state.withLock { $0.window = nil } }
            } else {
                let piece = try await self.piece(from: position, to: min(end, position + Self.piece))
                bytes.writeImmutableBuffer(piece)
                position += UInt64(piece.readableBytes)
            }
        }
        return bytes
    }

    /// The window that has the byte at `position`; nil where there is no memory for one.
    private func window(with position: UInt64) async throws -> Window? {
        let (there, coming) = self.state.withLock { state -> (Window?, Fetch?) in
            if let window = state.window, window.start <= position, position < window.end { return (window, nil) }
            state.window = nil
            defer { state.next = nil }
            if let next = state.next, next.start == position { return (nil, next) }
            state.next?.bytes.cancel()
            return (nil, nil)
        }
        if let there { return there }
        guard let fetch = coming ?? self.fetch(position, self.memory.windows.takeFromSlowest) else { return nil }
        let bytes = try await self.reading {
            try await withTaskCancellationHandler {
                try await fetch.bytes.value
            } onCancel: {
                fetch.bytes.cancel()
            }
        }
        let window = Window(start: position, bytes: bytes, share: fetch.share)
        let next = window.end < self.object.size ? self.fetch(window.end, self.memory.windows.takeAtOnce) : nil
        self.state.withLock { state in
            state.window = window
            state.next = next
        }
        // Others may have it if it is not taken from here in time.
        for share in [window.share, next?.share] {
            share?.beginFilling { [weak self] in self?.releaseBuffers() }
        }
        return window
    }

    private func fetch(_ start: UInt64, _ take: (Int) -> TransferMemory.Share?) -> Fetch? {
        let range = start..<min(start + Self.window, self.object.size)
        guard let share = take(range.count) else { return nil }
        let bytes = Task { [client, object] in
            // Also of one that nobody wants any more.
            defer { withExtendedLifetime(share) {} }
            return try await client.get(object.key, range, tag: object.tag)
        }
        return Fetch(start: start, share: share, bytes: bytes)
    }

    private func piece(from start: UInt64, to end: UInt64) async throws -> ByteBuffer {
        let share = try await self.memory.pieces.take(Int(end - start), isFurther: start > 0)
        defer { withExtendedLifetime(share) {} }
        return try await self.reading {
            try await self.client.get(self.object.key, start..<end, tag: self.object.tag)
        }
    }

    private func reading<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as S3Error where error.isPreconditionFailed || error.isMissing {
            throw self.changed()
        } catch let error as S3Error {
            throw error.transfer("read", self.object.path)
        }
    }

    func confirm(_ offset: UInt64) {
        self.state.withLock { $0.confirmed = max($0.confirmed, offset) }
    }

    func rewind(to offset: UInt64) throws {
        let isThere = self.state.withLock { state in
            state.trail.forget(before: state.confirmed)
            return state.trail.goBack(to: offset)
        }
        guard isThere else { throw self.misplaced(offset) }
    }

    func restart() {
        self.state.withLock { state in
            state.trail.restart()
            state.confirmed = 0
        }
    }

    func hashPrefix(_ length: UInt64) async throws -> Digest {
        self.restart()
        guard length <= self.object.size else { throw self.changed() }
        try await self.skip(to: length)
        return self.state.withLock { $0.trail.mark() }
    }

    func skip(to offset: UInt64) async throws {
        guard offset <= self.object.size else { throw self.changed() }
        while true {
            let position = self.state.withLock { $0.trail.offset }
            guard position < offset else { return }
            try Task.checkCancellation()
            _ = try await self.read(at: position, count: Int(min(offset - position, Self.piece)))
        }
    }

    /// Makes sure that the object still has its name, and that what was read is what was stored.
    func checkUnchanged() async throws {
        let read = self.state.withLock { $0.digest }
        if let digest, let read, digest != read {
            throw FxferError(
                .damaged,
                "what the object store gives of '\(self.object.path)' is not what was stored there"
            )
        }
        let answer = try await self.reading { try await self.client.head(self.object.key) }
        guard answer?.tag == self.object.tag else { throw self.changed() }
    }

    func releaseBuffers() {
        let next = self.state.withLock { state in
            state.window = nil
            return state.next.take()
        }
        next?.bytes.cancel()
    }

    private func changed() -> FxferError {
        FxferError(.sourceChanged, "'\(self.object.path)' was changed while it was sent; get it again")
    }

    private func misplaced(_ offset: UInt64) -> FxferError {
        FxferError(.internal, "'\(self.object.path)' cannot be read on from offset \(offset)")
    }
}
