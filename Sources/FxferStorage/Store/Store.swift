import FxferProtocol

/// Where received files go: each is staged out of sight, then published under its name in one step or not at all.
///
/// Nothing here speaks of descriptors, folders or locks, so that an object store can conform, too. What every store
/// has to hold is written down as tests: `StoreConformanceTests`.
package protocol Store: Sendable {
    associatedtype Staged: StagedFile

    /// Prepares, without waiting for any file call, to receive a small file or a folder whose content may be on its way
    /// already. What stands in the way of it is told when it is published. Nil where it has to be asked for by
    /// ``stage(_:_:_:_:)``: its size is not known or not small, or too much is held in memory.
    ///
    /// - Parameter level: how durable it has to become.
    func stageInMemory(_ path: RelativePath, _ attributes: FileAttributes, _ level: Durability) -> Staged?

    /// Prepares to receive a file that is to be published at `path`.
    ///
    /// What already stands in the way is told now rather than after the data: anything at `path` that cannot turn out
    /// to be the same file (and is not to be replaced), a folder that cannot be made, a size that does not fit.
    ///
    /// - Parameters:
    ///   - comparison: what the sender asks. With `.afterwards` the answer is always `.fresh`.
    ///   - level: how durable the file has to become.
    ///   - reading: called on any thread before that many bytes, which are there already, are read to be compared.
    /// - Throws: ``FxferProtocol/FxferError`` `.exists`, `.cannotCreate` (also where no file can become that durable), `.noSpace`, `.tooLarge`, `.busy` (the partial
    ///   of that path is in use) or `.io`; `CancellationError`.
    func stage(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ comparison: Comparison,
        _ level: Durability,
        reading: @Sendable (UInt64) -> Void
    ) async throws -> Staging<Staged>
}

extension Store {
    /// ``stageInMemory(_:_:_:)`` for a file that has to become durable.
    package func stageInMemory(_ path: RelativePath, _ attributes: FileAttributes) -> Staged? {
        self.stageInMemory(path, attributes, .durable)
    }

    /// ``stage(_:_:_:_:reading:)`` for those who do not read along.
    package func stage(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ comparison: Comparison,
        _ level: Durability = .durable
    ) async throws -> Staging<Staged> {
        try await self.stage(path, attributes, comparison, level, reading: { _ in })
    }
}
