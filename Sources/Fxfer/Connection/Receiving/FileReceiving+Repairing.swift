import FxferProtocol
import FxferStorage

/// A stored file that has decayed and is made whole.
extension FileReceiving {
    func handleRepair(_ repair: Repair) async throws {
        await self.waitForStaging(of: repair.file)
        guard case .stage = try self.receiving.receiver.receive(repair) else { return }
        guard case .existing(_, let otherwise, .some(let decayed)) = self.incoming(repair.file).content else {
            preconditionFailure("the machine repairs only what has decayed")
        }
        await otherwise?.discard(keepingPartial: false)
        do {
            let staged = try await self.working { try await decayed.stageRepair() }
            self.receiving.files[repair.file]?.content = .staged(staged)
            self.receiving.files[repair.file]?.decay = decayed.decay
        } catch {
            await self.refuse(self.receiving.receiver.failed(repair.file, FxferError(wrapping: error)))
        }
    }

    /// Takes a file up to `end` from the decayed one; answers what it is then. Nil where that failed, and it was refused.
    func fill(_ file: FileID, upTo end: UInt64) async -> FilePrefix? {
        let staged = self.staged(file)
        do {
            try await self.working { try await staged.fill(upTo: end) }
            // These bytes did not come in.
            self.receiving.files[file]?.verified = staged.position
            return FilePrefix(length: staged.position, digest: staged.runningDigest())
        } catch {
            await self.refuse(self.receiving.receiver.failed(file, FxferError(wrapping: error)))
            return nil
        }
    }
}

extension IncomingFile {
    /// How many damaged chunks were replaced by the publication; nil where it repaired none.
    func repairedChunks(_ publication: Publication) -> UInt32? {
        guard publication.outcome == .repaired else { return nil }
        // Where nobody knew of the damage before, everything was sent.
        return self.decay?.chunkCount ?? UInt32(clamping: Decay.chunkCount(of: self.verified))
    }
}
