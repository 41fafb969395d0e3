import FxferProtocol
import Glibc
import NIOCore
import Synchronization

/// A file on its way into a ``DirectoryStore``: one descriptor, one file in `.fxfer/partials`.
package final class DirectoryStagedFile: StagedFile {
    private let content: Mutex<StagedContent>
    private let target: PublishingTarget
    private let pool: DiskPool

    init(_ file: consuming PartialFile, _ target: PublishingTarget, _ pool: DiskPool) {
        self.content = Mutex(StagedContent(file, target.path))
        self.target = target
        self.pool = pool
    }

    package var position: UInt64 { self.content.withLock { $0.position } }

    package func runningDigest() -> Digest { self.content.withLock { $0.runningDigest() } }

    package func keep() { self.content.withLock { $0.keep() } }

    package func rewind() { self.content.withLock { $0.rewind() } }

    package func append(_ bytes: ByteBuffer) async throws {
        try await self.pool.run {
            try self.content.withLock { content throws(FxferError) in try content.append(bytes) }
        }
    }

    package func publish() async throws -> Publication {
        do {
            return try await self.pool.run {
                try self.content.withLock { content throws(FxferError) in
                    try self.target.publish(try content.takeForPublishing())
                }
            }
        } catch {
            // Gone already, but for one that was cancelled before it began.
            await self.discard()
            throw error
        }
    }

    package func discard() async {
        await self.pool.runInAnyCase {
            self.content.withLock { $0.discard() }
        }
    }
}
