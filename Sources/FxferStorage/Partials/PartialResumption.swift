import FxferProtocol
import Synchronization

/// A partial on its way to a staged file: what is left of an earlier try is being verified.
///
/// Where this ends early (a cancelled task, an error), the partial stays as it is if it has anything to go on from.
final class PartialResumption: Sendable {
    /// How many bytes are there, if all of them are good.
    let expectedLength: UInt64
    private let verifier: Mutex<PartialVerifier?>
    private let path: RelativePath
    private let makeFile: @Sendable (consuming StagedContent) -> DirectoryStagedFile

    init(
        _ verifier: consuming PartialVerifier,
        _ path: RelativePath,
        makeFile: @escaping @Sendable (consuming StagedContent) -> DirectoryStagedFile
    ) {
        self.expectedLength = verifier.expectedLength
        self.verifier = Mutex(verifier)
        self.path = path
        self.makeFile = makeFile
    }

    /// The staged file at the end of what is good, with a hop to `pool` for each 16 MiB, between which a cancelled task
    /// ends.
    ///
    /// - Throws: what the disk says; `CancellationError`.
    func run(on pool: DiskPool) async throws -> DirectoryStagedFile {
        while true {
            try Task.checkCancellation()
            if let file = try await pool.run({ try self.verifySome() }) { return file }
        }
    }

    private func verifySome() throws(FxferError) -> DirectoryStagedFile? {
        try receiving("store", self.path) {
            try self.verifier.withLock { verifier in
                guard var current = verifier.take() else { return nil }
                guard current.hash(upTo: DiskPool.bytesPerHop) else {
                    verifier = consume current
                    return nil
                }
                return self.makeFile(try current.finish(self.path))
            }
        }
    }
}
