import FxferProtocol

extension StoredDirectory {
    /// Reads a file of which the ledger says nothing, makes it durable, and writes it into the ledger; answers its digest.
    /// Nil where it is not there any more, or no file.
    ///
    /// - Throws: `.exists` where it cannot be read, `.busy`, `.io`, `.noSpace`, `.damaged`; `CancellationError`.
    func adopt(_ path: RelativePath, on pool: DiskPool) async throws -> Digest? {
        let found = try await pool.run {
            guard case .file? = try? StoredFile.open(path, in: self.tree) else { return nil as PublishedFile? }
            return try PublishedFile.find(path, in: self.tree)
        }
        guard let file = found else { return nil }
        let digest = try await file.digest(on: pool)
        try await pool.run {
            try file.confirm(.durable)
            let entry = Committer.entry(path, file.size, digest, modified: file.modified, .durable, from: Origin())
            _ = try Ledger(self.ledger).append([entry])
        }
        return digest
    }
}
