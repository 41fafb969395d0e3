/// How long and how much of unfinished files is kept for later tries.
struct PartialRules: Sendable {
    /// How long after the last record; none is kept where this is 0.
    var keepFor: Duration
    /// The size in bytes of all that are kept and not in use.
    var maxBytes: UInt64
    /// How long the holder of a partial may be silent before another connection takes it over.
    var takeOverAfter: Duration
}
