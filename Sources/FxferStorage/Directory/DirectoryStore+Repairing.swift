import FxferProtocol
import NIOCore

/// Files that were stored and have decayed.
extension DirectoryStore {
    /// The file as one that can be repaired, where it has decayed.
    func decayed(
        _ file: PublishedFile,
        _ target: PublishingTarget
    ) async throws -> DecayedFile<DirectoryStagedFile>? {
        guard let digest = try await self.pool.run({ try self.committer.digestBeforeDecay(of: file) }) else {
            return nil
        }
        let proof = try await self.pool.run {
            try file.proof(of: digest, self.committer.records?.states.load(for: digest, size: file.size))
        }
        let finding = try await self.hash(file.size) { try await proof.run(lanes: System.coreCount, on: self.pool) }
        // One that has grown meanwhile is being written to.
        guard case .changed(let ranges) = finding, let decay = Decay(of: file.size, digest: digest, damaged: ranges)
        else {
            return nil
        }
        return DecayedFile(decay) {
            try await self.pool.run { try self.stageRepair(of: file, target) }
        }
    }

    /// SHA-256 of the file; nil where the disk does not give it any more, and it can be stored anew.
    func digest(of file: PublishedFile) async throws -> Digest? {
        do {
            return try await self.hash(file.size) { try await file.digest(on: self.pool) }
        } catch let error as FxferError where error.isDiskError {
            // All of it has to come: what it would be repaired from cannot be read.
            guard try await self.pool.run({ try self.committer.digestBeforeDecay(of: file) }) != nil else {
                throw error
            }
            return nil
        }
    }

    /// What the file at `path` is like, without a look at its content.
    ///
    /// - Throws: `.noInput` where there is none, and what stands in the way of it.
    func attributes(of path: RelativePath) async throws -> FileAttributes {
        try await self.pool.run {
            try receiving("repair", path) {
                guard case .file(let file) = try StoredFile.open(path, in: self.tree) else {
                    throw FxferError(.noInput, "'\(path)' is no file any more")
                }
                return try file.status().attributes
            }
        }
    }

    /// An empty file for what is to take the name of the decayed `file`, from which it can be filled.
    func stageRepair(
        of file: PublishedFile,
        _ target: PublishingTarget
    ) throws(FxferError) -> DirectoryStagedFile {
        try self.checkSpace(for: file.path, file.size, .afterwards)
        return try receiving("repair", file.path) {
            let content = StagedContent(try PartialFile.create(in: self.partials), file.path, base: file)
            return self.staged(StagedBytes(content), target)
        }
    }
}
