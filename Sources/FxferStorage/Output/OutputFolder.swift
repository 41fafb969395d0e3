import Dispatch
import FxferProtocol
import Glibc
import Synchronization

/// A folder that a user of this machine named, in which small files are written at paths that others chose: each
/// appears whole and durable, in place of what had its name. Symbolic links below the folder are never followed.
package final class OutputFolder: Sendable {
    /// A file to write.
    package struct File: Sendable {
        package let path: RelativePath
        package let content: [UInt8]

        package init(_ path: RelativePath, _ content: [UInt8]) {
            self.path = path
            self.content = content
        }
    }

    private let tree: FolderTree
    /// The folders in which was looked for leftovers: by path, empty for the root.
    private let swept = Mutex<Set<ArraySlice<UInt8>>>([])

    /// Opens the folder at `path`, made where it is missing, with those above it; links in this path are followed.
    ///
    /// - Throws: `.io`, whatever stands in the way.
    package init(path: [UInt8]) throws(FxferError) {
        let name = EscapedText.escape(path)
        guard !path.isEmpty, !path.contains(0) else {
            throw FxferError(.io, "cannot write into '\(name)': this is no path")
        }
        var limit = rlimit()
        let isKnown = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        self.maxFolders = max(1, min(isKnown ? Int(clamping: limit.rlim_cur) / (4 * Self.maxThreads) : 1, 1024))
        do {
            self.tree = try FolderTree(root: try ReceivingFolder.open(path))
        } catch {
            throw FxferError(.io, "cannot write into '\(name)': \(error)", cause: error)
        }
    }

    /// How many threads write at the most: concurrent fsyncs share a commit of the journal. 5,000 receipts, which are two
    /// small files each, took 16 to 20 s on ext4 with one thread, 2 to 5 s with 8 (2 cores, other programs at work).
    private static let maxThreads = 8
    /// For how many groups another thread is worth it.
    private static let groupsOfThread = 2
    /// With how many open folders a thread takes no more groups before it has closed them: a tree may have more than the
    /// process may open. All threads together take a quarter of that, or 8,192 at the most, and a group's own folders
    /// come on top. The more, the faster: once a folder is flushed, others are with it.
    private let maxFolders: Int

    /// Writes files, with the folders that they need. Those of a group belong together: none of them gets its name before
    /// the content of all is durable. Waits for the disk.
    ///
    /// What earlier writers that were killed have left in these folders is removed.
    ///
    /// - Returns: for each group why one of its files could not be written; nil where all are durable.
    package func write(_ groups: [[File]]) -> [FxferError?] {
        let threads = min(Self.maxThreads, groups.count / Self.groupsOfThread)
        guard threads > 1 else { return self.write(groups[...]) }
        let results = Mutex([FxferError?](repeating: nil, count: groups.count))
        let work = DispatchGroup()
        for number in 0..<threads {
            let part = groups.count * number / threads..<groups.count * (number + 1) / threads
            work.enter()
            DiskPool.shared.submit {
                let written = self.write(groups[part])
                results.withLock { $0.replaceSubrange(part, with: written) }
                work.leave()
            }
        }
        work.wait()
        return results.withLock { $0 }
    }

    private func write(_ groups: ArraySlice<[File]>) -> [FxferError?] {
        var rest = groups
        var results: [FxferError?] = []
        while !rest.isEmpty { results += self.writeFirst(&rest) }
        return results
    }

    /// Writes the first of the groups, at least one, as many as ``maxFolders`` allows, and takes them away.
    private func writeFirst(_ groups: inout ArraySlice<[File]>) -> [FxferError?] {
        let folders = GroupFolders(self.tree)
        var placed: [(group: [File], Result<[GroupFolders.Node], FxferError>)] = []
        while placed.isEmpty || folders.count < self.maxFolders, let group = groups.popFirst() {
            placed.append((group, Result { () throws(FxferError) in try self.place(group, folders) }))
        }
        folders.sync()
        return placed.map { group, placed in
            do throws(FxferError) {
                for (file, folder) in zip(group, try placed.get()) {
                    try receiving("make durable", file.path) { try folder.checkDurable() }
                }
                return nil
            } catch {
                return error
            }
        }
    }

    /// Gives the files of a group their names; answers their folders, which are to be made durable.
    private func place(_ group: [File], _ folders: GroupFolders) throws(FxferError) -> [GroupFolders.Node] {
        var hidden: [(name: CPath, folder: GroupFolders.Node)] = []
        do throws(FxferError) {
            for file in group {
                let folder = try folders.make(for: file.path)
                if self.swept.withLock({ $0.insert(file.path.folderBytes).inserted }) {
                    HiddenName.sweep(folder.descriptor)
                }
                let name = HiddenName.random()
                try receiving("write", file.path) {
                    let output = try folder.descriptor.openBeneath(name, O_CREAT | O_EXCL | O_WRONLY, mode: 0o666)
                    hidden.append((name, folder))
                    try output.write(file.content)
                    try output.sync()
                }
            }
            for (file, (name, folder)) in zip(group, hidden) {
                try receiving("write", file.path) {
                    try folder.descriptor.replace(CPath(file.path.lastComponent), with: name)
                }
            }
            return hidden.map(\.folder)
        } catch {
            // Those that have their names are not found under the hidden ones any more.
            for (name, folder) in hidden { try? folder.descriptor.remove(name) }
            throw error
        }
    }
}

/// What a file is called until it gets its name: `.fxfer-`, 32 random hexadecimal digits, `.new`.
private enum HiddenName {
    private static let prefix = Array(".fxfer-".utf8)
    private static let suffix = Array(".new".utf8)
    private static let length = Self.prefix.count + 32 + Self.suffix.count
    /// How old one is that nobody writes any more: a small file takes a moment, on a disk that hangs minutes.
    private static let leftoverAge = Duration.seconds(3600)

    static func random() -> CPath {
        CPath(self.prefix + PartialName.randomDigits() + self.suffix)
    }

    /// Removes the files of writers that were killed.
    static func sweep(_ folder: borrowing OwnedDescriptor) {
        var found: [CPath] = []
        try? folder.forEachEntry { name, _ in
            guard name.count == self.length, name.starts(with: self.prefix),
                name.suffix(self.suffix.count).elementsEqual(self.suffix)
            else { return }
            found.append(CPath(name))
        }
        let now = FileTime.now()
        for name in found {
            guard let status = try? folder.status(of: name), status.kind == .regular,
                status.stamp.modified.duration(to: now) >= self.leftoverAge
            else { continue }
            try? folder.remove(name)
        }
    }
}
