import FxferProtocol

/// What is still to be got. Folders are opened one after the other as their turn comes, so that no more names are in
/// memory than those of the folders on the way.
struct DownloadQueue: Sendable {
    /// What comes next.
    enum Step: Sendable {
        /// A name that may turn out to be a file or a folder.
        case get(Download)
        /// A folder, to be listed.
        case list(Download, FileAttributes?)
        /// A folder whose contents have been asked for: what it is like itself.
        case finish(Download, FileAttributes)
        /// A name that would be too long or too deep here.
        case refused(TransferFile, FxferError)
    }

    private enum Item: Sendable {
        case step(Step)
        /// What is in a folder, from an entry on. Paths are made when their turn comes: they take much more memory than
        /// names.
        case contents(Download, [ListedEntry], from: Int)
    }

    /// The next one last.
    private var items: [Item]

    init(_ downloads: [Download]) {
        self.items = downloads.reversed().map { .step(.get($0)) }
    }

    var isEmpty: Bool { self.items.isEmpty }

    mutating func next() -> Step? {
        switch self.items.popLast() {
        case .step(let step):
            return step
        case .contents(let folder, let entries, let index):
            if index + 1 < entries.count { self.items.append(.contents(folder, entries, from: index + 1)) }
            return Self.step(entries[index], in: folder)
        case nil:
            return nil
        }
    }

    /// To be done before everything else.
    mutating func putBack(_ step: Step) { self.items.append(.step(step)) }

    /// A folder was listed: its contents come next, and then the folder itself.
    mutating func open(_ folder: Download, _ attributes: FileAttributes, _ entries: [ListedEntry]) {
        self.items.append(.step(.finish(folder, attributes)))
        if !entries.isEmpty { self.items.append(.contents(folder, entries, from: 0)) }
    }

    private static func step(_ entry: ListedEntry, in folder: Download) -> Step {
        do throws(PathRule) {
            let download = Download(
                try folder.source.appending(entry.name),
                to: try folder.destination.appending(entry.name)
            )
            return entry.isFolder ? .list(download, entry.attributes) : .get(download)
        } catch {
            let source = folder.source.bytes + [UInt8(ascii: "/")] + entry.name
            let text = "the name '\(EscapedText.escape(source))' \(error.explanation)"
            let file = TransferFile(source: source, destination: nil)
            return .refused(file, FxferError(.nameRefused, text, cause: error))
        }
    }

    /// Everything that is left, as all is given up; of a folder that was begun, the folder.
    mutating func abandon() -> [TransferFile] {
        defer { self.items = [] }
        return self.items.reversed().compactMap { item in
            switch item {
            case .step(.get(let download)): download.file()
            case .step(.list(let folder, _)), .step(.finish(let folder, _)): folder.file(isFolder: true)
            case .step(.refused(let file, _)): file
            case .contents: nil
            }
        }
    }
}

extension ListedEntry {
    fileprivate var attributes: FileAttributes {
        FileAttributes(
            modified: self.isTimeKnown ? self.modified : nil,
            permissions: self.permissions,
            isFolder: self.isFolder
        )
    }
}
