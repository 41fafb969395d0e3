import FxferProtocol
import Glibc

/// A file on disk that is to be given its name: one in `.fxfer/partials`, or one without any name.
struct PublishableFile: ~Copyable, Sendable {
    // One of the two, not an enumeration: its payload could not be changed in place. Methods that reach into it are
    // `mutating`, as a part that cannot be copied cannot be read through an optional otherwise.
    private var partial: PartialFile?
    private var nameless: NamelessFile?

    init(_ partial: consuming PartialFile) {
        self.partial = consume partial
    }

    init(_ nameless: consuming NamelessFile) {
        self.nameless = consume nameless
    }

    /// Whether it can take a name from another file; one without a name cannot.
    var canReplace: Bool { self.partial != nil }

    /// Adds all `bytes` to the empty file.
    func write(_ bytes: [UInt8]) throws(Errno) {
        try self.partial?.write(bytes)
        try self.nameless?.write(bytes)
    }

    /// See ``OwnedDescriptor/setAttributes(_:_:)``.
    mutating func setAttributes(_ permissions: mode_t, _ modified: FileTime?) throws(Errno) {
        try self.partial?.file.setAttributes(permissions, modified)
        try self.nameless?.file.setAttributes(permissions, modified)
    }

    /// See ``OwnedDescriptor/beginSync()``.
    mutating func beginSync() {
        self.partial?.file.beginSync()
        self.nameless?.file.beginSync()
    }

    /// Makes content and attributes durable: the only fsync of this file, which must be given up after an error.
    mutating func sync() throws(Errno) {
        try self.partial?.file.sync()
        try self.nameless?.file.sync()
    }

    /// fstat(2).
    func status() throws(Errno) -> FileStatus? {
        if let status = try self.partial?.status() { return status }
        return try self.nameless?.status()
    }

    /// Gives the file its name in one step: EEXIST where that is taken by anything.
    mutating func move(to folder: borrowing OwnedDescriptor, as name: CPath) throws(Errno) {
        try self.partial?.move(to: folder, as: name)
        try self.nameless?.link(to: folder, as: name)
    }

    /// Takes the name from that regular file, in one step; see ``PartialFile/replace(_:of:in:)``.
    mutating func replace(
        _ name: CPath,
        of file: FileStatus.Identity?,
        in folder: borrowing OwnedDescriptor
    ) throws(Errno) -> Replacement {
        guard let replacement = try self.partial?.replace(name, of: file, in: folder) else { throw Errno(EINVAL) }
        return replacement
    }

    /// Gives the name back to the file that ``replace(_:of:in:)`` took it from; see ``PartialFile/withdraw(_:from:_:of:)``.
    func withdraw(
        _ replacement: Replacement,
        from folder: borrowing OwnedDescriptor,
        _ name: CPath,
        of file: FileStatus.Identity
    ) {
        self.partial?.withdraw(replacement, from: folder, name, of: file)
    }
}
