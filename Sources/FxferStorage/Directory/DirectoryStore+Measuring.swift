import FxferProtocol
import Glibc
import Synchronization

/// How much is in the directory, and how much room.
extension DirectoryStore: MeasuredStore {
    /// The sizes of the regular files and folders below the directory (``EntrySpace``), and of partials that nobody has
    /// just now. Links are not followed; what cannot be entered, is on another file system or goes away meanwhile is left
    /// out.
    package func measure() async throws -> UInt64 {
        let walk = Mutex(ContentWalk())
        do {
            while try await self.pool.run({ try walk.withLock { try $0.goOn(in: self.tree) } }) {
                try Task.checkCancellation()
            }
            let left = try await self.pool.run { try self.partials.sizeOfLeft() }
            return walk.withLock { $0.bytes }.addingWithinBounds(left)
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

/// A walk through a directory that adds up the sizes of its files. Two descriptors are open at most.
private struct ContentWalk {
    /// How many folders are looked through in one hop.
    private static let portion = 64

    private(set) var bytes: UInt64 = 0
    /// Folders that were seen and not looked through, the top one first.
    private var waiting: [[UInt8]] = [[UInt8(ascii: ".")]]

    /// Looks through some folders; false where none is left.
    ///
    /// - Throws: what stands in the way of reading the top folder.
    mutating func goOn(in tree: FolderTree) throws(Errno) -> Bool {
        for _ in 0..<Self.portion {
            guard let path = self.waiting.popLast() else { return false }
            let isTop = path.elementsEqual(".".utf8)
            do {
                try self.look(into: path, isTop: isTop, tree)
            } catch {
                if isTop { throw error }
            }
        }
        return true
    }

    private mutating func look(into path: [UInt8], isTop: Bool, _ tree: FolderTree) throws(Errno) {
        let folder = try tree.root.openFolderBeneath(CPath(path))
        guard try tree.isOnSameDevice(folder) else { return }
        var found: UInt64 = 0
        var folders: [[UInt8]] = []
        try folder.forEachEntry { name, type in
            if isTop, name.elementsEqual(RelativePath.reservedFirstComponent) { return }
            let status = FileKind(entryType: type) == .folder ? nil : try? folder.status(of: CPath(name))
            switch status?.kind ?? FileKind(entryType: type) {
            case .folder:
                found = found.addingWithinBounds(EntrySpace.least)
                folders.append(isTop ? Array(name) : path + [UInt8(ascii: "/")] + name)
            case .regular:
                found = found.addingWithinBounds(max(status?.size ?? 0, EntrySpace.least))
            default:
                break
            }
        }
        self.bytes = self.bytes.addingWithinBounds(found)
        self.waiting += folders
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

extension FolderTree {
    /// Whether a folder is on the file system of the top one.
    fileprivate func isOnSameDevice(_ folder: borrowing OwnedDescriptor) throws(Errno) -> Bool {
        try folder.status().identity.device == self.root.status().identity.device
    }
}

extension UInt64 {
    /// The sum, or the largest number.
    fileprivate func addingWithinBounds(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = self.addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
