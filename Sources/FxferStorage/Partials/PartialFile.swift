import FxferProtocol
import Glibc

/// A staged file on disk: open, locked, and removed when its owner lets go of it, unless it was moved away or left for
/// a later try before.
///
/// Whoever has locked the content that has the name may write and remove the journal, and nobody else. So the journal
/// goes before the content does: by renaming, by removing and at the end of a crash it is the content that is left
/// alone, never a journal that the next holder could take for his own.
struct PartialFile: ~Copyable, Sendable {
    /// Files of no more bytes are sent again rather than gone on with: 1 MiB, the usual chunk.
    static let smallestKept: UInt64 = 1 << 20

    let file: OwnedDescriptor
    private var name: PartialName
    private let partials: PartialsFolder
    private var journal: PartialJournal?
    /// Whether the files stay when the owner lets go.
    private var isLeft = false

    init(_ file: consuming OwnedDescriptor, _ name: PartialName, _ partials: PartialsFolder) {
        self.file = file
        self.name = name
        self.partials = partials
    }

    deinit {
        // On whatever thread lets go last; unlinking a large file can take a while, so `discard()` uses the pool.
        // Before the descriptor is closed and the lock with it, so that no sweep takes it for a leftover.
        if !self.isLeft { self.partials.remove(self.name, of: self.file) }
    }

    /// Makes and locks an empty file that only this user can read, and from which no later try can go on.
    static func create(in partials: PartialsFolder) throws(Errno) -> PartialFile {
        for _ in 0..<Self.attempts {
            let name = PartialName.random(prefix: partials.prefix)
            let file = try partials.folder.openBeneath(name.content, O_CREAT | O_EXCL | O_RDWR, mode: 0o600)
            let partial = PartialFile(file, name, partials)
            // Another server that starts on this directory may sweep between these two calls; then it has the lock, or
            // the file has no name any more.
            if try partial.file.tryLock(.exclusive), try partial.file.status().links > 0 { return partial }
        }
        throw Errno(EBUSY)
    }

    /// More than servers ever start at once.
    private static let attempts = 16

    /// fstat(2).
    func status() throws(Errno) -> FileStatus {
        try self.file.status()
    }

    /// Adds all `bytes` to the empty file.
    func write(_ bytes: [UInt8]) throws(Errno) {
        try self.file.write(bytes)
    }

    /// Moves the file to its final name in one step: EEXIST where that is taken by anything.
    ///
    /// The journal is removed before, not after: the lock is on the file, and where that has gone, the next upload of
    /// this path may have a journal under the same name already. A crash between the two costs the later try.
    mutating func move(to folder: borrowing OwnedDescriptor, as name: CPath) throws(Errno) {
        self.removeJournal()
        try self.partials.folder.move(self.name.content, to: folder, as: name)
        self.isLeft = true
    }

    /// Takes the name from the regular file that has it, in one step. That one has the staged name afterwards, so that
    /// it can be given its own back, and is removed with this value.
    ///
    /// - Parameter file: which file it has to be; nil where it may be any.
    /// - Throws: EEXIST where something else has the name; ENOENT where nothing has it.
    mutating func replace(
        _ name: CPath,
        of file: FileStatus.Identity? = nil,
        in folder: borrowing OwnedDescriptor
    ) throws(Errno) -> Replacement {
        try self.takeScratchName()
        let replacement = try self.partials.folder.replace(name, in: folder, with: self.name.content, file)
        if replacement == .final { self.isLeft = true }
        return replacement
    }

    /// Takes ``replace(_:of:in:)`` back; `file` is what fstat(2) says of this one.
    func withdraw(
        _ replacement: Replacement,
        from folder: borrowing OwnedDescriptor,
        _ name: CPath,
        of file: FileStatus.Identity
    ) {
        self.partials.folder.withdraw(replacement, name, with: self.name.content, of: file, in: folder)
    }

    /// Takes a name that no later try looks for, as another file is to have it for a while: nobody shall write to that.
    private mutating func takeScratchName() throws(Errno) {
        // Also where the journal is gone already, as a move has failed before.
        guard self.name.journal != nil else { return }
        self.removeJournal()
        let scratch = PartialName.random(prefix: self.partials.prefix)
        try self.partials.folder.move(self.name.content, to: self.partials.folder, as: scratch.content)
        self.name = scratch
    }
}

/// What a later try can go on from.
extension PartialFile {
    /// Whether there is a journal.
    var isResumable: Bool { self.journal != nil }

    /// Opens the journal, or makes it; false where something else has its name.
    mutating func openJournal(_ header: PartialHeader) throws(Errno) -> Bool {
        guard let file = try self.partials.openJournal(of: self.name) else { return false }
        self.journal = PartialJournal(file, header)
        return true
    }

    /// Whether the journal on disk is of the file that it was opened for, and not damaged.
    func hasJournal() throws(Errno) -> Bool {
        try self.journal?.isOfItsFile() ?? false
    }

    /// The next of `records`; nil at their end.
    func next(of records: inout PartialRecords) throws(Errno) -> PartialRecord? {
        try self.journal?.next(of: &records) ?? nil
    }

    /// Forgets all content and begins anew.
    mutating func restart() throws(Errno) {
        try self.file.truncate(to: 0)
        try self.journal?.restart()
    }

    /// Goes on behind the first `length` bytes, which `count` records describe, and forgets what is behind.
    mutating func resume(at length: UInt64, after count: UInt64) throws(Errno) {
        try self.file.truncate(to: length)
        try self.journal?.resume(after: count)
    }

    /// Writes down that a later try can go on there.
    mutating func add(_ record: PartialRecord) throws(Errno) {
        try self.journal?.append(record)
    }

    /// Has the files stay when the owner lets go, or no longer.
    mutating func leave(_ isLeft: Bool = true) {
        self.isLeft = isLeft
    }

    private mutating func removeJournal() {
        guard self.isResumable else { return }
        self.journal = nil
        self.partials.removeJournal(of: self.name)
    }
}
