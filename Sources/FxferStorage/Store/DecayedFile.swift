import FxferProtocol

/// A stored file that has decayed, and can be made whole by whoever has what it was stored with.
package struct DecayedFile<File: StagedFile>: Sendable {
    /// What it was stored with, and where it is different.
    package let decay: Decay
    private let staging: @Sendable () async throws -> File

    /// - Parameter staging: what ``stageRepair()`` does.
    package init(_ decay: Decay, staging: @escaping @Sendable () async throws -> File) {
        self.decay = decay
        self.staging = staging
    }

    /// Prepares to receive what is damaged: answers an empty file, to which is appended what comes, and what does not is
    /// taken from the decayed one (``StagedFile/fill(upTo:)``). Where it becomes what was stored it takes the name, in one
    /// step, whatever else the store does where a name is taken.
    ///
    /// - Throws: as ``Store/stage(_:_:_:_:reading:)``.
    package func stageRepair() async throws -> File {
        try await self.staging()
    }
}
