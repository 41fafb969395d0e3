import FxferProtocol

/// A store that can say how much is in it and how much room there is, so that limits can be kept (``LimitedStore``).
package protocol MeasuredStore: Store {
    /// How many bytes the store holds, what was left of unfinished files included; see ``EntrySpace`` for what small
    /// files and folders count for. Staged files of this store are not counted: whoever has them knows. May take long
    /// where there are many files.
    ///
    /// - Throws: `.io` where the store cannot be looked through; `CancellationError`.
    func measure() async throws -> UInt64

    /// How many folders would have to be made to store something at `path`, itself included where it is a folder. What
    /// cannot be found out counts for none: staging tells why.
    ///
    /// - Throws: `CancellationError`.
    func newFolders(for path: RelativePath, isFolder: Bool) async throws -> Int

    /// How many bytes can still be stored; nil where the disk does not say.
    ///
    /// - Throws: `.io`; `CancellationError`.
    func availableBytes() async throws -> UInt64?
}
