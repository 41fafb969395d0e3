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

    /// Opens the folder at `path`, made where it is missing, with those above it; links in this path are followed.
    ///
    /// - Throws: `.io`, whatever stands in the way.
    package init(path: [UInt8]) throws(FxferError) {
        let name = EscapedText.escape(path)
        guard !path.isEmpty, !path.contains(0) else {
            throw FxferError(.io, "cannot write into '\(name)': this is no path")
        }
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

    /// Writes files, with the folders that they need. Those of a group belong together: none of them gets its name before
    /// the content of all is durable. Waits for the disk.
    ///
    /// - Returns: for each group why one of its files could not be written; nil where all are durable.
    package func write(_ groups: [[File]]) -> [FxferError?] {
        let threads = min(Self.maxThreads, groups.count / Self.groupsOfThread)
        guard threads > 1 else { return Self.write(groups[...], in: self.tree) }
        let results = Mutex([FxferError?](repeating: nil, count: groups.count))
        let work = DispatchGroup()
        for number in 0..<threads {
            let part = groups.count * number / threads..<groups.count * (number + 1) / threads
            work.enter()
            DiskPool.shared.submit { [tree = self.tree] in
                let written = Self.write(groups[part], in: tree)
                results.withLock { $0.replaceSubrange(part, with: written) }
                work.leave()
            }
        }
        work.wait()
        return results.withLock { $0 }
    }

    private static func write(_ groups: ArraySlice<[File]>, in tree: FolderTree) -> [FxferError?] {
        let folders = GroupFolders(tree)
        let placed = groups.map { group in
            Result { () throws(FxferError) in try Self.place(group, folders) }
        }
        folders.sync()
        return zip(groups, placed).map { group, placed in
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
    private static func place(_ group: [File], _ folders: GroupFolders) throws(FxferError) -> [GroupFolders.Node] {
        var hidden: [(name: CPath, folder: GroupFolders.Node)] = []
        do throws(FxferError) {
            for file in group {
                let folder = try folders.make(for: file.path)
                let name = CPath(Array(".fxfer-".utf8) + PartialName.randomDigits() + Array(".new".utf8))
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
