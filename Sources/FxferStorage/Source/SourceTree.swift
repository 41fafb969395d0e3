import FxferProtocol
import Synchronization

/// The files and folders that a user wants to send, walked while they are sent: depth first, the names of each folder
/// in the order of their bytes, a folder after its contents.
///
/// Memory is bounded by the names of the open folders, of which there are at most 64, each with one descriptor, and
/// by one batch. Calls are made one after the other.
package final class SourceTree: Sendable {
    /// A file or folder that the user named.
    package struct Root: Sendable {
        /// As the user gave it. Symbolic links on it and at its end are followed: it is the user's word.
        package var path: [UInt8]
        /// Where it is stored itself; nil for a folder whose contents go right into the receiver's directory.
        package var destination: RelativePath?

        package init(path: [UInt8], destination: RelativePath?) {
            self.path = path
            self.destination = destination
        }
    }

    /// What is left out, and how much comes at once.
    package struct Options: Sendable {
        /// Whether symbolic links inside folders are followed; they are skipped otherwise.
        package var followsLinks = false
        /// What is left out; see ``ExcludePattern``.
        package var excludes: [ExcludePattern] = []
        /// The size in bytes of the largest file that is read whole.
        package var loadsUpTo = 32 << 10
        /// The most entries of a batch.
        package var batchEntries = 64
        /// A batch ends with the entry that brings it to this many loaded bytes.
        package var batchBytes = 512 << 10

        package init(followsLinks: Bool = false, excludes: [ExcludePattern] = []) {
            self.followsLinks = followsLinks
            self.excludes = excludes
        }
    }

    private let walk: Mutex<TreeWalk>
    private let pool: DiskPool

    package init(roots: [Root], options: Options = Options(), pool: DiskPool = .shared) {
        self.walk = Mutex(TreeWalk(roots: roots, options: options, pool: pool))
        self.pool = pool
    }

    /// The next entries, read in one hop to the pool; none at the end.
    ///
    /// A batch ends after an opened ``SourceFile``, so that at most one of its entries holds a descriptor. What goes
    /// wrong with an entry is told by this entry, and the walk goes on.
    ///
    /// - Throws: `CancellationError` only.
    package func next() async throws -> [SourceEntry] {
        while true {
            let batch = try await self.pool.run { self.walk.withLock { $0.nextBatch() } }
            // A batch without entries saw nothing but what is excluded.
            guard batch.entries.isEmpty, !batch.isLast else { return batch.entries }
        }
    }
}
