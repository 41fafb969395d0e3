import FxferProtocol

/// What the ledger says of a published file.
package struct LedgerEntry: Hashable, Sendable {
    package var path: RelativePath
    /// In bytes.
    package var size: UInt64
    /// The SHA-256 of its content.
    package var digest: Digest
    /// The modification time that it was given.
    package var modified: FileTime
    /// When it was published.
    package var time: FileTime
    package var origin: Origin
    package var durability: Durability

    package init(
        path: RelativePath,
        size: UInt64,
        digest: Digest,
        modified: FileTime,
        time: FileTime,
        origin: Origin,
        durability: Durability
    ) {
        self.path = path
        self.size = size
        self.digest = digest
        self.modified = modified
        self.time = time
        self.origin = origin
        self.durability = durability
    }
}
