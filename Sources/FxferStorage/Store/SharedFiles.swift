import FxferProtocol

/// Where a server gives files from: what was stored, and whatever else is in the same place.
package protocol SharedFiles: Sendable {
    /// Opens a file, small ones whole.
    ///
    /// - Throws: `.isFolder` for a folder; `.noInput` where nothing or something else is there, or it cannot be read;
    ///   `.busy` where descriptors have run out; `.sourceChanged`, `.io`; `CancellationError`.
    func open(_ path: RelativePath) async throws -> SharedContent

    /// Opens a folder, nil for the top one, to list it.
    ///
    /// - Throws: `.noInput` where no folder is there or it cannot be read; `CancellationError`.
    func list(_ folder: RelativePath?) async throws -> any SharedListing
}

/// A file that is about to be given.
package enum SharedContent: Sendable {
    case loaded(LoadedFile)
    case file(any Source)

    package var attributes: FileAttributes {
        switch self {
        case .loaded(let file): file.attributes
        case .file(let file): file.attributes
        }
    }
}

/// The files and folders of a folder, in the order of their names' bytes. Links and special files are left out, as are
/// names that could not be asked for.
package protocol SharedListing: Sendable {
    /// Permissions and time of the folder itself.
    var folder: FileAttributes { get }

    /// The next entries; none at the end.
    ///
    /// - Throws: `.io`; `CancellationError`.
    func next() async throws -> [SharedEntry]
}

/// A file or folder of a listing.
package struct SharedEntry: Hashable, Sendable {
    /// One component.
    package let name: [UInt8]
    package let isFolder: Bool
    package let permissions: UInt16
    /// In bytes; 0 for a folder.
    package let size: UInt64
    package let modified: FileTime

    package init(name: [UInt8], isFolder: Bool, permissions: UInt16, size: UInt64, modified: FileTime) {
        self.name = name
        self.isFolder = isFolder
        self.permissions = permissions
        self.size = size
        self.modified = modified
    }
}
