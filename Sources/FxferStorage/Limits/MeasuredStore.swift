/// A store that can say how much is in it and how much room there is, so that limits can be kept (``LimitedStore``).
package protocol MeasuredStore: Store {
    /// How many bytes of content the store holds, what was left of unfinished files included. Staged files of this
    /// store are not counted: whoever has them knows. May take long where there are many files.
    ///
    /// - Throws: `.io` where the store cannot be looked through; `CancellationError`.
    func measure() async throws -> UInt64

    /// How many bytes can still be stored; nil where the disk does not say.
    ///
    /// - Throws: `.io`; `CancellationError`.
    func availableBytes() async throws -> UInt64?
}
