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
    /// small files each, took 16 to 20 s on ext4 with one thread, 3 to 9 s with 8 (2 cores, other programs at work).
    private static let maxThreads = 8
    /// For how many files another thread is worth it.
    private static let filesOfThread = 4

    /// Writes files, with the folders that they need. Waits for the disk.
    ///
    /// - Returns: for each file why it could not be written; nil where it is durable.
    package func write(_ files: [File]) -> [FxferError?] {
        let threads = min(Self.maxThreads, files.count / Self.filesOfThread)
        guard threads > 1 else { return Self.write(files[...], in: self.tree) }
        let results = Mutex([FxferError?](repeating: nil, count: files.count))
        let group = DispatchGroup()
        for number in 0..<threads {
            let part = files.count * number / threads..<files.count * (number + 1) / threads
            group.enter()
            DiskPool.shared.submit { [tree = self.tree] in
                let written = Self.write(files[part], in: tree)
                results.withLock { $0.replaceSubrange(part, with: written) }
                group.leave()
            }
        }
        group.wait()
        return results.withLock { $0 }
    }

    private static func write(_ files: ArraySlice<File>, in tree: FolderTree) -> [FxferError?] {
        let folders = GroupFolders(tree)
        let placed = files.map { file in
            Result { () throws(FxferError) in try Self.place(file, folders) }
        }
        folders.sync()
        return zip(files, placed).map { file, placed in
            do throws(FxferError) {
                let folder = try placed.get()
                try receiving("make durable", file.path) { try folder.checkDurable() }
                return nil
            } catch {
                return error
            }
        }
    }

    /// Gives the file its name; answers its folder, which is to be made durable.
    private static func place(_ file: File, _ folders: GroupFolders) throws(FxferError) -> GroupFolders.Node {
        let folder = try folders.make(for: file.path)
        let hiddenName = CPath(Array(".fxfer-".utf8) + PartialName.randomDigits() + Array(".new".utf8))
        try receiving("write", file.path) {
            let output = try folder.descriptor.openBeneath(hiddenName, O_CREAT | O_EXCL | O_WRONLY, mode: 0o666)
            do {
                try output.write(file.content)
                try output.sync()
                try folder.descriptor.replace(CPath(file.path.lastComponent), with: hiddenName)
            } catch {
                try? folder.descriptor.remove(hiddenName)
                throw error
            }
        }
        return folder
    }
}
