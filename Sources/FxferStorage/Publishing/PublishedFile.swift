import FxferProtocol
import Glibc
import NIOCore
import Synchronization

/// A file that stands under a name of the directory already, held open: what is read is what is made durable.
final class PublishedFile: Sendable {
    let path: RelativePath
    private let file: OwnedDescriptor
    private let stamp: FileStatus.Stamp
    private let tree: FolderTree
    private let trail = Mutex(HashTrail())

    var size: UInt64 { self.stamp.size }
    var modified: FileTime { self.stamp.modified }
    var identity: FileStatus.Identity { self.stamp.identity }

    private init(
        _ path: RelativePath,
        _ file: consuming OwnedDescriptor,
        _ stamp: FileStatus.Stamp,
        _ tree: FolderTree
    ) {
        self.path = path
        self.file = file
        self.stamp = stamp
        self.tree = tree
    }

    /// The file at `path`; nil where nothing is there.
    ///
    /// Where it is just being published, this waits until that is done or taken back: the publisher holds an exclusive
    /// flock(2) on its file until then.
    ///
    /// - Throws: `.exists` where something else than a readable regular file is there, `.busy` where another program
    ///   has locked it, `.cannotCreate`, `.io`.
    static func find(_ path: RelativePath, in tree: FolderTree) throws(FxferError) -> PublishedFile? {
        let walk = try tree.walk(to: path)
        guard walk.isComplete else { return nil }
        return try Self.find(path, in: walk.folder, tree)
    }

    /// ``find(_:in:)`` in the file's folder, which is open already.
    static func find(
        _ path: RelativePath,
        in folder: borrowing OwnedDescriptor,
        _ tree: FolderTree
    ) throws(FxferError) -> PublishedFile? {
        let name = CPath(path.lastComponent)
        return try receiving("create", path) {
            // Looks before it opens: opening alone has effects on FIFOs and devices.
            guard let there = try folder.status(of: name) else { return nil }
            guard there.kind == .regular else { throw FxferError.taken(path, by: there.kind) }
            guard let file = try Self.open(name, in: folder, path) else { return nil }
            guard try file.waitForPublisher() else {
                throw FxferError(.busy, "'\(path)' exists and is locked by another program; try again later")
            }
            // Settled, so that a later change of the content shows in the times.
            let status = try SourceFile.settledStatus(of: file)
            guard status.kind == .regular else { throw FxferError.taken(path, by: status.kind) }
            guard status.links > 0 else { return nil }
            return PublishedFile(path, file, status.stamp, tree)
        }
    }

    private static func open(
        _ name: CPath,
        in folder: borrowing OwnedDescriptor,
        _ path: RelativePath
    ) throws -> OwnedDescriptor? {
        do {
            return try folder.openBeneath(name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        } catch {
            switch error.number {
            case ENOENT: return nil
            case ELOOP: throw FxferError.taken(path, by: .link)
            case EACCES, EPERM:
                throw FxferError(.exists, "'\(path)' exists and cannot be read to compare: \(error)", cause: error)
            default: throw error
            }
        }
    }

    /// SHA-256 of the file, in one go.
    ///
    /// - Throws: `.io` where it cannot be read or has become shorter.
    func digest() throws(FxferError) -> Digest {
        while true {
            if let digest = try self.hashSome() { return digest }
        }
    }

    /// SHA-256 of the file, with a hop to `pool` for each 16 MiB, between which a cancelled task ends.
    ///
    /// - Throws: `.io`; `CancellationError`.
    func digest(on pool: DiskPool) async throws -> Digest {
        while true {
            try Task.checkCancellation()
            if let digest = try await pool.run({ try self.hashSome() }) { return digest }
        }
    }

    /// Hashes on; answers the digest once the file's end is reached.
    private func hashSome() throws(FxferError) -> Digest? {
        try receiving("compare", self.path) {
            try self.trail.withLock { trail in
                let count = min(self.size - trail.offset, DiskPool.bytesPerHop)
                guard try trail.advance(over: self.file, count: count) == count else { throw self.changed() }
                return trail.offset == self.size ? trail.mark() : nil
            }
        }
    }

    /// The `count` bytes at `offset`.
    ///
    /// - Throws: `.io` where they cannot be read, or there are fewer.
    func read(_ count: Int, at offset: UInt64) throws(FxferError) -> ByteBuffer {
        try receiving("repair", self.path) {
            var bytes = ByteBuffer()
            try self.file.read(count, at: offset, into: &bytes)
            guard bytes.readableBytes == count else { throw self.changed() }
            return bytes
        }
    }

    /// Looks for what was changed since the file was stored with that digest.
    func proof(of digest: Digest, _ states: HashStates?) throws(FxferError) -> FileProof {
        let file = try receiving("compare", self.path) { try self.file.duplicate() }
        return FileProof(file, self.path, size: self.size, digest: digest, states: states)
    }

    /// Makes file, name and the folders above as durable as `level` says; see ``ExistingFile/confirmDurable(from:)``.
    ///
    /// - Parameter media: how it is read again, for that level.
    func confirm(_ level: Durability, _ media: MediaProbe? = nil) throws(FxferError) {
        if level > .verified { try self.sync() }
        let folder = try GroupFolders(self.tree).make(for: self.path)
        if level > .verified { folder.syncChain() }
        try self.confirm(in: folder, level, media)
    }

    /// Makes the content durable: the first part of ``confirm(_:_:)``.
    ///
    /// - Throws: `.io` for good, where it was not possible once.
    func sync() throws(FxferError) {
        guard !FlushFailures.process.has(self.stamp) else {
            throw FxferError(
                .io,
                "cannot make '\(self.path)' durable: that has failed before, so what the disk has of it is not known; "
                    + "remove it and send it again"
            )
        }
        try receiving("make durable", self.path) {
            do throws(Errno) {
                try self.file.sync()
            } catch {
                FlushFailures.process.note(self.stamp)
                throw error
            }
        }
    }

    /// The last part of ``confirm(_:_:)``, after `folder` and those above it were made durable where that is asked for.
    func confirm(
        in folder: GroupFolders.Node,
        _ level: Durability,
        _ media: MediaProbe?
    ) throws(FxferError) {
        if level == .media {
            guard let media else { preconditionFailure("who wants a file read again says how") }
            try self.readAgain(in: folder, media)
        }
        try receiving("make durable", self.path) {
            try folder.checkDurable()
            let status = try self.file.status()
            let there = try folder.descriptor.status(of: CPath(self.path.lastComponent))
            guard status.stamp == self.stamp, there?.identity == status.identity else { throw self.changed() }
        }
    }

    private func readAgain(in folder: GroupFolders.Node, _ media: MediaProbe) throws(FxferError) {
        let access = try media.access(for: self.path)
        let identity = try receiving("read again", self.path) { try self.file.status().identity }
        let reading = MediaReading(path: self.path, size: self.size, digest: try self.digest(), access: access)
        try reading.compare(in: folder.descriptor, identity)
    }

    /// Keeps others from confirming the file while its name is taken from it, where nobody has it locked.
    func lockForReplacing() {
        _ = try? self.file.tryLock(.exclusive)
    }

    /// Whether nobody has written to the file since it was found, as far as its size and times tell.
    ///
    /// - Parameter exceptName: whether it was renamed since, which moves one of the times.
    func isUnchanged(exceptName: Bool = false) -> Bool {
        guard let stamp = try? self.file.status().stamp else { return false }
        guard exceptName else { return stamp == self.stamp }
        return stamp.size == self.size && stamp.modified == self.modified
    }

    private func changed() -> FxferError {
        FxferError(.io, "'\(self.path)' was changed, replaced or removed while it was compared; send it again")
    }
}
