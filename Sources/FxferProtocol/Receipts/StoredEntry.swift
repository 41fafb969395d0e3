/// What a receiver says about a stored file beside its name and content.
package struct StoredEntry: Hashable, Sendable {
    /// The times that a statement can name, in seconds since 1970: up to the end of the year 9999 (RFC 3339).
    package static let seconds: ClosedRange<Int64> = 0...253_402_300_799

    /// When it was stored, by the receiver's clock.
    package var time: FileTime
    /// How far the receiver has gone to keep it.
    package var durability: Durability
    /// The chain hash of its entry in the receiver's ledger; nil where there is no ledger.
    package var entry: Digest?

    package init(time: FileTime, durability: Durability, entry: Digest? = nil) {
        self.time = time
        self.durability = durability
        self.entry = entry
    }
}
