import FxferProtocol

/// Where received files go: each is staged out of sight, then published under its name in one step or not at all.
///
/// Nothing here speaks of descriptors, folders or locks, so that an object store can conform, too. What every store
/// has to hold is written down as tests: `StoreConformanceTests`.
package protocol Store: Sendable {
    associatedtype Staged: StagedFile

    /// Prepares to receive a file that is to be published at `path`.
    ///
    /// What already stands in the way is told now rather than after the data: anything at `path` that cannot turn out
    /// to be the same file, a folder that cannot be made, a size that does not fit.
    ///
    /// - Parameter comparingAbove: an existing file of the same size is compared before any data is sent where it has
    ///   more than this many bytes. Smaller ones are received and compared after, which takes no round trip.
    /// - Throws: ``FxferProtocol/FxferError`` `.exists`, `.cannotCreate`, `.noSpace`, `.tooLarge` or `.io`;
    ///   `CancellationError`.
    func stage(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        comparingAbove: UInt64
    ) async throws -> Staging<Staged>
}
