import FxferProtocol

/// A directory whose decayed files are made whole, and which takes nothing else. They keep their permissions and times.
///
/// What the other side has must be what the ledger says was stored: the same damage there makes nothing right.
package struct RepairStore: Store {
    private let base: DirectoryStore

    /// - Parameter base: what it does where a name is taken does not count here.
    package init(_ base: DirectoryStore) {
        self.base = base
    }

    /// Always nil: what is there has to be looked at.
    package func stageInMemory(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ level: Durability
    ) -> DirectoryStagedFile? { nil }

    /// - Throws: also `.noInput` where no file is there, `.exists` where it has another size.
    package func stage(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ comparison: Comparison,
        _ level: Durability,
        reading: @Sendable (UInt64) -> Void
    ) async throws -> Staging<DirectoryStagedFile> {
        let here = try await self.base.attributes(of: path)
        guard here.size == attributes.size else {
            throw FxferError(.exists, "'\(path)' has another size there and is left as it is")
        }
        return try await self.base.stage(path, here, comparison, level, repairsOnly: true, reading: reading)
    }
}
