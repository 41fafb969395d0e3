import FxferProtocol
import Glibc
import NIOCore
import Synchronization

/// A file on its way into a ``DirectoryStore``: one descriptor, one file in `.fxfer/partials`; or, where it is small,
/// in memory.
package final class DirectoryStagedFile: StagedFile {
    private let content: Mutex<StagedBytes>
    /// Whether the content was handed on to be published. Told without the lock, which a last call may still hold for a
    /// moment when the receipt is out and the sender offers the next file of that path.
    private let isHandedOn = Atomic(false)
    let target: PublishingTarget
    package let newFolder: RelativePath?
    private let partials: PartialsFolder
    private let queue: CommitQueue
    private let pool: DiskPool

    init(
        _ content: consuming StagedBytes,
        _ target: PublishingTarget,
        newFolder: RelativePath?,
        _ partials: PartialsFolder,
        _ queue: CommitQueue,
        _ pool: DiskPool
    ) {
        self.content = Mutex(content)
        self.target = target
        self.newFolder = newFolder
        self.partials = partials
        self.queue = queue
        self.pool = pool
    }

    var path: RelativePath { self.target.path }

    package var position: UInt64 { self.content.withLock { $0.position } }

    package var mayLeavePartial: Bool { self.content.withLock { $0.isResumable } }

    package func runningDigest() -> Digest { self.content.withLock { $0.runningDigest() } }

    package func keep() { self.content.withLock { $0.keep() } }

    package func rewind() { self.content.withLock { $0.rewind() } }

    package func append(_ pieces: [ByteBuffer]) async throws {
        try await self.pool.run {
            try self.content.withLock { content throws(FxferError) in try content.append(pieces, on: self.pool) }
        }
    }

    /// In hops of at most 16 MiB, between which a cancelled task ends.
    package func fill(upTo offset: UInt64) async throws {
        while self.position < offset {
            try Task.checkCancellation()
            let end = min(offset, self.position + DiskPool.bytesPerHop)
            try await self.pool.run {
                try self.content.withLock { content throws(FxferError) in try content.fill(upTo: end, on: self.pool) }
            }
        }
    }

    package func appendInMemory(_ bytes: ByteBuffer) -> Bool { self.content.withLock { $0.appendInMemory(bytes) } }

    package func restart() { self.content.withLock { $0.restart() } }

    package func publish(
        from origin: Origin,
        _ completion: @escaping @Sendable (Result<Publication, FxferError>) -> Void
    ) {
        let (partials, path) = (self.partials, self.path)
        let item = CommitQueue.Item(file: self, size: self.position, origin: origin) { result in
            if case .success = result { partials.removeLeft(of: path) }
            completion(result)
        }
        self.queue.add(item)
    }

    /// Hands on the content, once; it cannot be appended to or given up afterwards.
    func takeForPublishing() throws(FxferError) -> FinishedContent {
        defer { self.isHandedOn.store(true, ordering: .releasing) }
        return try self.content.withLock { content throws(FxferError) in try content.takeForPublishing() }
    }

    package func discard(keepingPartial: Bool) async {
        await self.pool.runInAnyCase {
            let isLeft = self.content.withLock { content in
                guard keepingPartial else {
                    content.discard()
                    return false
                }
                return content.leave(atMost: self.partials.rules.maxBytes)
            }
            if isLeft {
                self.partials.noteLeft()
                self.partials.keepWithinBounds()
            }
        }
    }

    /// Lets another connection have the partial, unless something was appended within the last `silence` or a call is
    /// under way. False where this one goes on. For a thread of the pool.
    func handOver(afterSilence silence: Duration) -> Bool {
        guard !self.isHandedOn.load(ordering: .acquiring) else { return true }
        return self.content.withLockIfAvailable {
            $0.handOver(afterSilence: silence, atMost: self.partials.rules.maxBytes)
        } ?? false
    }
}
