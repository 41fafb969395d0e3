import FxferProtocol
import Glibc

/// A staged file on disk: open, locked, and removed when its owner lets go of it, unless it was moved away before.
struct PartialFile: ~Copyable, Sendable {
    let file: OwnedDescriptor
    private let name: CPath
    private let partials: PartialsFolder
    /// Whether ``name`` is still there to be removed.
    private var isStaged = true

    private init(_ file: consuming OwnedDescriptor, _ name: CPath, _ partials: PartialsFolder) {
        self.file = file
        self.name = name
        self.partials = partials
    }

    deinit {
        // On whatever thread lets go last; unlinking a large file can take a while, so `discard()` uses the pool.
        // Before the descriptor is closed and the lock with it, so that no sweep takes it for a leftover.
        if self.isStaged { try? self.partials.folder.remove(self.name) }
    }

    /// Makes and locks an empty file that only this user can read.
    static func create(in partials: PartialsFolder) throws(Errno) -> PartialFile {
        for _ in 0..<Self.attempts {
            let name = PartialsFolder.randomName()
            let file = try partials.folder.openBeneath(name, O_CREAT | O_EXCL | O_RDWR, mode: 0o600)
            let partial = PartialFile(file, name, partials)
            // Another server that starts on this directory may sweep between these two calls; then it has the lock, or
            // the file has no name any more.
            if try partial.file.tryLock(.exclusive), try partial.file.status().links > 0 { return partial }
        }
        throw Errno(EBUSY)
    }

    /// More than servers ever start at once.
    private static let attempts = 16

    /// Makes content, permissions and time durable, as they are to be published.
    ///
    /// The only fsync of this file: after an error the file must be given up.
    func seal(_ permissions: mode_t, _ modified: FileTime?) throws(Errno) {
        try self.file.setPermissions(permissions)
        if let modified { try self.file.setModified(modified) }
        try self.file.sync()
    }

    /// Moves the file to its final name in one step: EEXIST where that is taken by anything.
    mutating func move(to folder: borrowing OwnedDescriptor, as name: CPath) throws(Errno) {
        try self.partials.folder.move(self.name, to: folder, as: name)
        self.isStaged = false
    }

    /// Takes ``move(to:as:)`` back where the folder could not be made durable: the name must not stay without a
    /// receipt. Nobody has confirmed the file meanwhile: who wants to waits for its lock (``PublishedFile``).
    func withdraw(from folder: borrowing OwnedDescriptor, _ name: CPath) {
        guard let own = try? self.file.status(), let there = try? folder.status(of: name),
            own.identity == there.identity
        else { return }
        try? folder.remove(name)
    }
}
