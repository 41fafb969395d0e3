import FxferProtocol
import Synchronization

/// Folders of a store that are there, so that a small file in one of them need not wait for a look at the disk. One that
/// was removed since is counted for nothing until the store is measured again.
final class KnownFolders: Sendable {
    /// How many are remembered; where there are more, all are forgotten.
    private static let limit = 1024

    private let folders = Mutex<Set<[UInt8]>>([])

    /// Whether the folder of `path` is known to be there; the top one always is.
    func hasFolder(of path: RelativePath) -> Bool {
        let folder = path.folderBytes
        return folder.isEmpty || self.folders.withLock { $0.contains(Array(folder)) }
    }

    /// The folder of `path` is there.
    func addFolder(of path: RelativePath) {
        let folder = path.folderBytes
        guard !folder.isEmpty else { return }
        self.folders.withLock { folders in
            if folders.count >= Self.limit { folders = [] }
            folders.insert(Array(folder))
        }
    }
}
