import FxferProtocol

/// A file that a store has under the offered name, compared by content rather than received again.
package struct ExistingFile: Sendable {
    /// Its size in bytes.
    package let size: UInt64
    /// Its SHA-256, from reading it just now.
    package let digest: Digest
    private let confirmation: @Sendable (Origin) async throws -> Publication

    /// - Parameter confirmation: what ``confirmDurable(from:)`` does.
    package init(
        size: UInt64,
        digest: Digest,
        confirmation: @escaping @Sendable (Origin) async throws -> Publication
    ) {
        self.size = size
        self.digest = digest
        self.confirmation = confirmation
    }

    /// Makes that very file and its name durable, and checks that the name still stands for it, unchanged since it was
    /// read.
    ///
    /// - Parameter origin: who has sent the same, for the store's records.
    /// - Throws: `.io` where it was changed, replaced or removed, or cannot be made durable; `.exists` where it has decayed
    ///   to what the sender has; `CancellationError`.
    package func confirmDurable(from origin: Origin = Origin()) async throws -> Publication {
        try await self.confirmation(origin)
    }
}
