import FxferProtocol
import NIOCore
import Synchronization

/// A file of a ``PipeStore``: what is not verified yet waits in memory, at most one chunk.
package final class PipeFile: StagedFile {
    let path: RelativePath
    private let pipe: Pipe
    private let pool: DiskPool
    private let state = Mutex(State())

    private struct State: ~Copyable {
        var position: UInt64 = 0
        var hash = SHA256()
        var keptPosition: UInt64 = 0
        var keptHash = SHA256()
        /// Verified and not written yet.
        var verified = ByteBuffer()
        /// Not verified yet.
        var unverified = ByteBuffer()
        var isBegun = false
        var isPublished = false
        var failure: FxferError?
    }

    init(_ path: RelativePath, _ pipe: Pipe, _ pool: DiskPool) {
        self.path = path
        self.pipe = pipe
        self.pool = pool
    }

    package var position: UInt64 { self.state.withLock { $0.position } }

    /// Whether any of it was written.
    var isBegun: Bool { self.state.withLock { $0.isBegun } }

    /// Whether it can never be completed.
    var hasFailed: Bool { self.state.withLock { $0.failure != nil } }

    /// Whether all of it was written.
    var isPublished: Bool { self.state.withLock { $0.isPublished } }

    package func runningDigest() -> Digest { self.state.withLock { $0.hash.digest() } }

    package func appendInMemory(_ bytes: ByteBuffer) -> Bool {
        self.state.withLock { state in
            // What is verified is written first, so that no more than a chunk ever waits.
            guard state.verified.readableBytes == 0, state.failure == nil else { return false }
            Self.add(bytes, to: &state)
            return true
        }
    }

    package func append(_ pieces: [ByteBuffer]) async throws {
        try await self.pool.run {
            try self.writeVerified()
            self.state.withLock { state in
                for bytes in pieces { Self.add(bytes, to: &state) }
            }
        }
    }

    private static func add(_ bytes: ByteBuffer, to state: inout State) {
        state.unverified.writeImmutableBuffer(bytes)
        state.hash.update(bytes)
        state.position += UInt64(bytes.readableBytes)
    }

    private func writeVerified() throws(FxferError) {
        let (bytes, failure) = self.state.withLock { state in
            let bytes = state.verified
            state.verified = ByteBuffer()
            state.isBegun = state.isBegun || bytes.readableBytes > 0
            return (bytes, state.failure)
        }
        if let failure { throw failure }
        do {
            try self.pipe.write(bytes)
        } catch {
            self.state.withLock { $0.failure = error }
            throw error
        }
    }

    package func keep() {
        self.state.withLock { state in
            state.verified.writeImmutableBuffer(state.unverified)
            state.unverified.clear()
            state.keptPosition = state.position
            state.keptHash.become(state.hash)
        }
    }

    package func rewind() {
        self.state.withLock { state in
            state.unverified.clear()
            state.position = state.keptPosition
            state.hash.become(state.keptHash)
        }
    }

    package func restart() {
        self.state.withLock { state in
            if state.isBegun { state.failure = self.cannotGoOn }
            state.position = 0
            state.hash = SHA256()
            state.keptPosition = 0
            state.keptHash = SHA256()
            state.verified.clear()
            state.unverified.clear()
        }
    }

    /// Writes the rest. A pipe cannot be made durable: whoever reads it answers for what it does with the bytes.
    package func publish(
        from _: Origin,
        _ completion: @escaping @Sendable (Result<Publication, FxferError>) -> Void
    ) {
        self.pool.submit {
            completion(
                Result { () throws(FxferError) in
                    try self.writeVerified()
                    self.state.withLock { $0.isPublished = true }
                    return Publication(.stored, at: self.path)
                }
            )
        }
    }

    package func discard(keepingPartial: Bool) async {
        self.rewind()
    }

    /// The file was begun on the pipe and is another by now.
    var cannotGoOn: FxferError {
        FxferError(
            .sourceChanged,
            "'\(self.path)' was changed after its beginning had been written to \(self.pipe.name)"
        )
    }
}
