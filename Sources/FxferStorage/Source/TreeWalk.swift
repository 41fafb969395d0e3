import FxferProtocol
import Glibc

/// The walk of a ``SourceTree``, one batch at a time. Blocks: for threads of the ``DiskPool``.
struct TreeWalk: ~Copyable {
    /// What one call found.
    struct Batch: Sendable {
        var entries: [SourceEntry] = []
        /// Whether nothing comes after it.
        var isLast = false
    }

    /// The most folders that are open at once: no path that can be stored is deeper.
    static let maxDepth = RelativePath.maxComponents
    /// After how many names a call returns in any case, so that one that excludes all of them can be cancelled.
    private static let namesPerBatch = 4096

    let options: SourceTree.Options
    let pool: DiskPool
    /// Those that are not begun, the next one last.
    private var roots: [SourceTree.Root]
    /// From a root to the folder that is being walked.
    var folders: [OpenFolder] = []
    private var loader: FileLoader

    init(roots: [SourceTree.Root], options: SourceTree.Options, pool: DiskPool) {
        self.roots = roots.reversed()
        self.options = options
        self.pool = pool
        self.loader = FileLoader(limit: options.loadsUpTo)
    }

    /// The next entries.
    mutating func nextBatch() -> Batch {
        var batch = Batch()
        var loadedBytes = 0
        for _ in 0..<Self.namesPerBatch {
            guard !self.folders.isEmpty || !self.roots.isEmpty else {
                batch.isLast = true
                break
            }
            guard let entry = self.step() else { continue }
            batch.entries.append(entry)
            switch entry.content {
            case .loaded(let file, _): loadedBytes += file.bytes.readableBytes
            case .file: return batch
            case .folder, .skipped, .failed: break
            }
            guard batch.entries.count < self.options.batchEntries, loadedBytes < self.options.batchBytes else { break }
        }
        return batch
    }

    /// Goes one name further; nil where that is none to tell of.
    private mutating func step() -> SourceEntry? {
        guard let folder = self.folders.last else {
            guard let root = self.roots.popLast() else { return nil }
            let name = SourceName(bytes: root.path)
            return self.telling(name) { walk throws(FxferError) in try walk.visit(root, name) }
        }
        if let name = folder.next() {
            let source = folder.source(of: name.bytes)
            return self.telling(source) { walk throws(FxferError) in try walk.visit(name, source, in: folder) }
        }
        self.folders.removeLast()
        guard let destination = folder.place.destination else { return nil }
        return SourceEntry(source: folder.place.source.bytes, content: .folder(folder.status.attributes, destination))
    }

    /// The entry for `source` that `visit` answers, or its error.
    private mutating func telling(
        _ source: SourceName,
        _ visit: (inout TreeWalk) throws(FxferError) -> SourceEntry.Content?
    ) -> SourceEntry? {
        do throws(FxferError) {
            return try visit(&self).map { SourceEntry(source: source.bytes, content: $0) }
        } catch {
            return SourceEntry(source: source.bytes, content: .failed(error))
        }
    }

    private mutating func visit(_ root: SourceTree.Root, _ name: SourceName) throws(FxferError) -> SourceEntry.Content?
    {
        switch try name.look().kind {
        case .folder:
            let place = OpenFolder.Place(source: name, below: [], destination: root.destination)
            let path = CPath(name.bytes)
            return try self.enter(place) { () throws(Errno) in try .open(path, O_RDONLY | O_DIRECTORY) }
        case .regular, .link, .pipe, .socket, .device:
            let opened = try OpenedSource(name)
            guard let destination = root.destination else {
                throw FxferError(.internal, "'\(name.text)' is a file and has no name to be stored under")
            }
            return try self.content(opened, destination)
        }
    }

    private mutating func visit(
        _ name: NameList.Name,
        _ source: SourceName,
        in folder: OpenFolder
    ) throws(FxferError) -> SourceEntry.Content? {
        let entry = CPath(name.bytes)
        let (kind, isLink) = try self.kind(of: name, entry, source, in: folder)
        guard !self.isExcluded(name, kind, in: folder) else { return nil }
        switch kind {
        case .regular:
            let destination = try folder.destination(of: name.bytes)
            let opened = try OpenedSource(source, entry, in: folder.descriptor, followsLink: isLink)
            return try self.content(opened, destination)
        case .folder:
            let destination = try folder.destination(of: name.bytes)
            let below = self.options.excludes.isEmpty ? [] : folder.below(name.bytes)
            let place = OpenFolder.Place(source: source, below: below, destination: destination)
            return try self.enter(place) { () throws(Errno) in
                try folder.descriptor.openSource(entry, O_RDONLY | O_DIRECTORY, followsLink: isLink)
            }
        case .link, .pipe, .socket, .device:
            return .skipped(reason: kind.rawValue)
        }
    }

    private mutating func content(
        _ opened: consuming OpenedSource,
        _ destination: RelativePath
    ) throws(FxferError) -> SourceEntry.Content {
        guard opened.status.size <= UInt64(self.loader.limit) else {
            return .file(SourceFile(opened, self.pool), destination)
        }
        return .loaded(try self.loader.load(opened), destination)
    }
}
