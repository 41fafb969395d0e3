import FxferProtocol
import Glibc
import Synchronization

/// How much is in the directory, and how much room.
extension DirectoryStore: MeasuredStore {
    /// The sizes of the regular files and folders below the directory (``EntrySpace``), and of partials that nobody has
    /// just now. Links are not followed; what cannot be entered, is on another file system or goes away meanwhile is left
    /// out.
    package func measure() async throws -> UInt64 {
        let state = Mutex((walk: DirectoryWalk(), bytes: UInt64(0)))
        do {
            while try await self.pool.run({ try state.withLock { try $0.walk.goOn(in: self.tree, adding: &$0.bytes) } })
            {
                try Task.checkCancellation()
            }
            let left = try await self.pool.run { try self.partials.sizeOfLeft() }
            return state.withLock { $0.bytes }.addingWithinBounds(left)
        } catch let error as Errno {
            throw FxferError(.io, "cannot look through the directory: \(error)", cause: error)
        }
    }

    package func newFolders(for path: RelativePath, isFolder: Bool) async throws -> Int {
        try await self.pool.run {
            guard let walk = try? self.tree.walk(to: path) else { return 0 }
            if let missing = walk.missing {
                return path.components.count - missing.components.count + (isFolder ? 1 : 0)
            }
            guard isFolder else { return 0 }
            let there = try? walk.folder.status(of: CPath(path.lastComponent))
            return there == nil ? 1 : 0
        }
    }

    package func availableBytes() async throws -> UInt64? {
        try await self.pool.run {
            do throws(Errno) {
                return try self.partials.folder.availableBytes()
            } catch {
                throw FxferError(.io, "cannot ask how much space is free: \(error)", cause: error)
            }
        }
    }
}

extension DirectoryWalk {
    /// Looks through some folders and adds what is in them to `bytes`; false where none is left.
    fileprivate mutating func goOn(in tree: FolderTree, adding bytes: inout UInt64) throws(Errno) -> Bool {
        try self.goOn(in: tree) { entry in
            switch entry.kind {
            case .folder: bytes = bytes.addingWithinBounds(EntrySpace.least)
            case .regular: bytes = bytes.addingWithinBounds(max(entry.size, EntrySpace.least))
            default: break
            }
        }
    }
}

extension PartialsFolder {
    /// The sizes of all partials that nobody has locked.
    fileprivate func sizeOfLeft() throws(Errno) -> UInt64 {
        try self.staged().reduce(into: 0) { sum, name in
            guard let status = try? self.folder.status(of: name.content), status.isOwnFile, !self.isLocked(name) else {
                return
            }
            sum = sum.addingWithinBounds(status.size)
        }
    }
}

extension UInt64 {
    /// The sum, or the largest number.
    fileprivate func addingWithinBounds(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = self.addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
