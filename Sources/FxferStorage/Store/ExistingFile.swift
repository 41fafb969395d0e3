import FxferProtocol

/// A file that a store has under the offered name, compared by content rather than received again.
package struct ExistingFile: Sendable {
    /// Its size in bytes.
    package let size: UInt64
    /// Its SHA-256, from reading it just now.
    package let digest: Digest
    private let confirmation: @Sendable () async throws -> Void

    /// - Parameter confirmation: what ``confirmDurable()`` does.
    package init(size: UInt64, digest: Digest, confirmation: @escaping @Sendable () async throws -> Void) {
        self.size = size
        self.digest = digest
        self.confirmation = confirmation
    }

    /// Makes that very file and its name durable, and checks that the name still stands for it, unchanged since it was
    /// read.
    ///
    /// - Throws: `.io` where it was changed, replaced or removed, or cannot be made durable; `CancellationError`.
    package func confirmDurable() async throws {
        try await self.confirmation()
    }
}
