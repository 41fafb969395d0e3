import FxferProtocol
import Glibc
import Synchronization

/// The way back: files and folders of the directory, reached one component at a time and never through a link.
extension DirectoryStore: SharedFiles {
    /// The size in bytes of the largest file that is read whole.
    private static let loadsUpTo = 32 << 10

    package func open(_ path: RelativePath) async throws -> SharedContent {
        try await self.pool.run {
            let name = SourceName(bytes: path.bytes)
            let folder = try self.tree.openFolder(path.components.dropLast(), name)
            let last = CPath(path.lastComponent)
            guard let there = try name.opening({ try folder.status(of: last) }) else { throw name.missing() }
            guard there.kind != .folder else {
                throw FxferError(.isFolder, "'\(path)' is a folder; list it to see what is in it")
            }
            guard there.kind == .regular else { throw name.notShared(there.kind) }
            let source = try OpenedSource(name, last, in: folder, followsLink: false)
            guard source.status.size <= UInt64(Self.loadsUpTo) else {
                return .file(SourceFile(source, self.pool))
            }
            var loader = FileLoader(limit: Int(source.status.size))
            return .loaded(try loader.load(source))
        }
    }

    package func list(_ folder: RelativePath?) async throws -> any SharedListing {
        try await self.pool.run {
            let name = SourceName(bytes: folder?.bytes ?? [])
            let descriptor = try self.tree.openFolder(folder?.components[...] ?? [], name)
            return try FolderListing(name, descriptor, isTop: folder == nil, self.pool)
        }
    }
}

extension FolderTree {
    /// Opens the folder that the components lead to.
    ///
    /// - Throws: `.noInput` where one of them is no folder or may not be entered; `.busy`.
    fileprivate func openFolder(
        _ components: ArraySlice<ArraySlice<UInt8>>,
        _ name: SourceName
    ) throws(FxferError) -> OwnedDescriptor {
        try name.opening {
            var folder = try self.root.openFolderBeneath(.itself)
            for component in components {
                folder = try folder.openFolderBeneath(CPath(component))
            }
            return folder
        }
    }
}

extension SourceName {
    /// What is neither file nor folder is not given to others.
    fileprivate func notShared(_ kind: FileKind) -> FxferError {
        FxferError(.noInput, "'\(self.text)' is \(kind.rawValue), which is not shared")
    }
}

/// A listing of a folder of the directory: the names are read at once, the rest in portions.
private final class FolderListing: SharedListing {
    /// How many names are looked at in one hop.
    private static let portion = 256

    private struct State: ~Copyable {
        let folder: OwnedDescriptor
        var names = NameList()
        var visited = 0
    }

    let folder: FileAttributes
    private let name: SourceName
    private let isTop: Bool
    private let state: Mutex<State>
    private let pool: DiskPool

    /// - Throws: `.noInput` where the folder cannot be read.
    init(
        _ name: SourceName,
        _ folder: consuming OwnedDescriptor,
        isTop: Bool,
        _ pool: DiskPool
    ) throws(FxferError) {
        var names = NameList()
        do {
            self.folder = try folder.status().attributes
            try folder.forEachEntry { names.append($0, type: $1) }
        } catch {
            throw name.unreadable(error, .noInput)
        }
        names.sort()
        let state = State(folder: folder, names: names)
        self.name = name
        self.isTop = isTop
        self.state = Mutex(state)
        self.pool = pool
    }

    func next() async throws -> [SharedEntry] {
        try await self.pool.run {
            try self.state.withLock { state in
                var entries: [SharedEntry] = []
                while entries.isEmpty, state.visited < state.names.count {
                    for _ in 0..<min(Self.portion, state.names.count - state.visited) {
                        let name = state.names[state.visited].bytes
                        state.visited += 1
                        if let entry = try self.look(at: name, in: state.folder) { entries.append(entry) }
                    }
                }
                return entries
            }
        }
    }

    /// Nil for what is not shared, or gone meanwhile.
    private func look(
        at bytes: ArraySlice<UInt8>,
        in folder: borrowing OwnedDescriptor
    ) throws(FxferError) -> SharedEntry? {
        guard (try? RelativePath(bytes: bytes)) != nil || !self.isTop && bytes.elementsEqual(".fxfer".utf8) else {
            return nil
        }
        let status: FileStatus?
        do {
            status = try folder.status(of: CPath(bytes))
        } catch {
            throw self.name.unreadable(error, .io)
        }
        guard let status, [.regular, .folder].contains(status.kind) else { return nil }
        let isFolder = status.kind == .folder
        return SharedEntry(
            name: Array(bytes),
            isFolder: isFolder,
            permissions: status.permissions,
            size: isFolder ? 0 : status.size,
            modified: status.stamp.modified
        )
    }
}
