import FxferProtocol
import NIOCore
import Synchronization

@testable import FxferStorage

extension DirectoryUnderTest {
    /// Where the content of a test's upload waits before it is published.
    enum Place: CaseIterable {
        case memory, disk
    }

    /// Stages all of `bytes`, to be published.
    func staged(
        _ bytes: [UInt8],
        _ path: RelativePath,
        _ attributes: FileAttributes = FileAttributes(),
        in place: Place = .memory
    ) async throws -> DirectoryStagedFile {
        var attributes = attributes
        attributes.size = UInt64(bytes.count)
        switch place {
        case .memory:
            guard let file = self.store.stageInMemory(path, attributes), file.appendInMemory(ByteBuffer(bytes: bytes))
            else { throw CannotStage() }
            return file
        case .disk:
            guard case .fresh(let file) = try await self.store.stage(path, attributes, .afterwards) else {
                throw CannotStage()
            }
            try await file.append(ByteBuffer(bytes: bytes))
            return file
        }
    }

    func send(
        _ bytes: [UInt8],
        _ path: RelativePath,
        _ attributes: FileAttributes = FileAttributes(),
        in place: Place = .memory
    ) async throws -> Publication {
        try await self.staged(bytes, path, attributes, in: place).publish()
    }

    func sendFolder(_ path: RelativePath, _ attributes: FileAttributes) async throws -> Publication {
        guard let folder = self.store.stageInMemory(path, attributes) else { throw CannotStage() }
        return try await folder.publish()
    }

    /// Publishes all of `files` as one group, on this thread.
    func commit(
        _ files: [DirectoryStagedFile],
        _ committer: Committer? = nil
    ) throws -> [Result<Publication, FxferError>] {
        let results = Mutex([Int: Result<Publication, FxferError>]())
        let items = files.enumerated().map { index, file in
            CommitQueue.Item(file: file, size: file.position, origin: Origin()) { result in
                results.withLock { $0[index] = result }
            }
        }
        CommitGroup(items, try committer ?? self.committer()).commit()
        return results.withLock { results in files.indices.compactMap { results[$0] } }
    }

    func committer() throws -> Committer {
        let partials = try self.folder.open().openFolderBeneath(CPath(".fxfer")).openFolderBeneath(CPath("partials"))
        let folder = PartialsFolder(partials)
        return Committer(
            tree: try FolderTree(root: self.folder.open()),
            partials: folder,
            linking: .byProc,
            records: nil,
            media: MediaProbe(folder)
        )
    }
}

struct CannotStage: Error {}

extension Publication {
    /// Outcome and path alone.
    var unrecorded: Publication { Publication(self.outcome, at: self.path) }
}

extension Result<Publication, FxferError> {
    var outcome: Publication.Outcome? { try? self.get().outcome }

    var failureCode: FxferError.Code? {
        guard case .failure(let error) = self else { return nil }
        return error.code
    }
}
