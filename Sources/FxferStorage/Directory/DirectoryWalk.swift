import FxferProtocol
import Glibc

/// A walk through all folders of a directory but the receiver's own. Links are not followed; what is on another file
/// system or goes away meanwhile is left out. Two descriptors are open at most.
struct DirectoryWalk {
    /// What has a name.
    struct Entry {
        /// From the directory on; it may be longer, deeper or otherwise than the path of any stored file.
        let path: [UInt8]
        let kind: FileKind
        /// In bytes; 0 for a folder.
        let size: UInt64
    }

    /// How many folders are looked through in one hop.
    private static let portion = 64
    private static let top = [UInt8(ascii: ".")]

    /// Folders that were seen and not looked through, the top one first.
    private var waiting = [Self.top]

    /// Looks through some folders; false where none is left.
    ///
    /// - Parameters:
    ///   - isEntered: whether to look into a folder.
    ///   - cannotRead: called for a folder below the top one that cannot be read.
    ///   - visit: called for each entry, in no order, folders included.
    /// - Throws: what stands in the way of reading the top folder.
    mutating func goOn(
        in tree: FolderTree,
        through isEntered: ([UInt8]) -> Bool = { _ in true },
        cannotRead: (_ path: [UInt8], Errno) -> Void = { _, _ in },
        _ visit: (Entry) -> Void
    ) throws(Errno) -> Bool {
        for _ in 0..<Self.portion {
            guard let path = self.waiting.popLast() else { return false }
            guard path == Self.top || isEntered(path) else { continue }
            do {
                try self.look(into: path, tree, visit)
            } catch {
                if path == Self.top { throw error }
                if error.number != ENOENT { cannotRead(path, error) }
            }
        }
        return true
    }

    private mutating func look(into path: [UInt8], _ tree: FolderTree, _ visit: (Entry) -> Void) throws(Errno) {
        let folder = try tree.root.openFolderBeneath(CPath(path))
        guard try tree.isOnSameDevice(folder) else { return }
        let isTop = path == Self.top
        var folders: [[UInt8]] = []
        try folder.forEachEntry { name, type in
            if isTop, name.elementsEqual(RelativePath.reservedFirstComponent) { return }
            let status = FileKind(entryType: type) == .folder ? nil : try? folder.status(of: CPath(name))
            guard let kind = status?.kind ?? FileKind(entryType: type) else { return }
            let entryPath = isTop ? Array(name) : path + [UInt8(ascii: "/")] + name
            if kind == .folder { folders.append(entryPath) }
            visit(Entry(path: entryPath, kind: kind, size: kind == .folder ? 0 : status?.size ?? 0))
        }
        self.waiting += folders
    }
}

extension FolderTree {
    /// Whether a folder is on the file system of the top one.
    fileprivate func isOnSameDevice(_ folder: borrowing OwnedDescriptor) throws(Errno) -> Bool {
        try folder.status().identity.device == self.root.status().identity.device
    }
}
