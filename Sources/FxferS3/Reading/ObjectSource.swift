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

    private struct State: ~Copyable {
        var trail = HashTrail()
        var window: (start: UInt64, bytes: ByteBuffer)?
        var next: (start: UInt64, bytes: Task<ByteBuffer, any Error>)?
        var confirmed: UInt64 = 0
        /// The digest of the whole, once it was read.
        var digest: Digest?
    }

    let attributes: FileAttributes
    private let client: S3Client
    private let object: StoredObject
    /// What was written down of its content; nil where nobody has.
    private let digest: Digest?
    private let state = Mutex(State())

    init(_ client: S3Client, _ object: StoredObject, digest: Digest?) {
        self.client = client
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

    /// The bytes from `offset` on, from one window or two; fewer where the object ends.
    private func bytes(at offset: UInt64, count: Int) async throws -> ByteBuffer {
        let end = min(offset + UInt64(count), self.object.size)
        var bytes = ByteBuffer()
        var position = offset
        while position < end {
            let window = try await self.window(with: position)
            let from = Int(position - window.start)
            let part = min(Int(end - position), window.bytes.readableBytes - from)
            guard part > 0, let slice = window.bytes.getSlice(at: window.bytes.readerIndex + from, length: part) else {
                throw self.changed()
            }
            if position == offset, UInt64(part) == end - offset { return slice }
            bytes.writeImmutableBuffer(slice)
            position += UInt64(part)
        }
        return bytes
    }

    private func window(with position: UInt64) async throws -> (start: UInt64, bytes: ByteBuffer) {
        let start = position / Self.window * Self.window
        let task: Task<ByteBuffer, any Error>? = self.state.withLock { state in
            if let window = state.window, window.start == start { return nil }
            defer { state.next = nil }
            if let next = state.next, next.start == start { return next.bytes }
            state.next?.bytes.cancel()
            return self.fetch(start)
        }
        if let task {
            let bytes = try await self.reading {
                try await withTaskCancellationHandler {
                    try await task.value
                } onCancel: {
                    task.cancel()
                }
            }
            self.state.withLock { state in
                state.window = (start, bytes)
                let next = start + Self.window
                if next < self.object.size { state.next = (next, self.fetch(next)) }
            }
        }
        guard let window = self.state.withLock({ $0.window }), window.start == start else {
            throw self.misplaced(start)
        }
        return window
    }

    private func fetch(_ start: UInt64) -> Task<ByteBuffer, any Error> {
        let range = start..<min(start + Self.window, self.object.size)
        return Task { [client, object] in try await client.get(object.key, range, tag: object.tag) }
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
            _ = try await self.read(at: position, count: Int(min(offset - position, Self.window)))
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
        self.state.withLock { state in
            state.window = nil
            state.next?.bytes.cancel()
            state.next = nil
        }
    }

    private func changed() -> FxferError {
        FxferError(.sourceChanged, "'\(self.object.path)' was changed while it was sent; get it again")
    }

    private func misplaced(_ offset: UInt64) -> FxferError {
        FxferError(.internal, "'\(self.object.path)' cannot be read on from offset \(offset)")
    }
}
