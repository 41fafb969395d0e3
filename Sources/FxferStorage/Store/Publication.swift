import FxferProtocol

/// How a file came to be in the store.
package struct Publication: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        /// It was stored under a name that was free.
        case stored
        /// A file with the same bytes has the name already; that one was made as durable as was asked and stays as it is.
        case identical
        /// It took the name from another file, in one step.
        case replaced
        /// The same, from one that was stored with these very bytes and has decayed.
        case repaired
    }

    package var outcome: Outcome
    /// The path that stands for it: the offered one, or one beside it where the store keeps both.
    package var path: RelativePath
    /// What the store's ledger says of it; nil for a folder, and where the store keeps none.
    package var record: StoredEntry?

    /// How far the store has gone to keep it.
    package var level: Durability

    package init(
        _ outcome: Outcome,
        at path: RelativePath,
        _ level: Durability = .durable,
        _ record: StoredEntry? = nil
    ) {
        self.level = level
        self.outcome = outcome
        self.path = path
        self.record = record
    }
}
