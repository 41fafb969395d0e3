import FxferProtocol
import Glibc

extension FinishedContent {
    /// Gives content and attributes to a file that is ready for its name then, but for ``seal(_:_:isReplacing:)``: written
    /// now where the content is in memory. After a failure the content is to be given up.
    ///
    /// - Parameter isReplacing: whether the file is to take its name from another.
    mutating func complete(
        _ target: PublishingTarget,
        _ committer: Committer,
        isReplacing: Bool = false
    ) throws(FxferError) {
        if self.held != nil, self.file == nil || (isReplacing && self.file?.canReplace == false) {
            self.file = try self.writeDown(target, committer, isReplacing: isReplacing)
            self.status = nil
            self.isSealed = false
        }
        guard self.status == nil else { return }
        self.status = try receiving("write", target.path) {
            try self.file?.setAttributes(target.permissions ?? 0o600, target.modified)
            return try self.file?.status()
        }
        if let status { FlushFailures.process.forget(status.identity) }
        if target.level > .verified { self.file?.beginSync() }
    }

    /// Completes the file and makes content and attributes durable, where the target asks for that. The inner states of
    /// its hash are saved, where there are some. After a failure the content is to be given up.
    mutating func seal(
        _ target: PublishingTarget,
        _ committer: Committer,
        isReplacing: Bool = false
    ) throws(FxferError) {
        try self.complete(target, committer, isReplacing: isReplacing)
        guard !self.isSealed else { return }
        if target.level > .verified {
            try receiving("make durable", target.path) { try self.file?.sync() }
        }
        self.isSealed = true
        if let states = self.states { committer.records?.states.save(states, for: self.digest, size: self.size) }
    }

    private func writeDown(
        _ target: PublishingTarget,
        _ committer: Committer,
        isReplacing: Bool
    ) throws(FxferError) -> PublishableFile {
        let bytes = self.held?.bytes ?? []
        return try receiving("write", target.path) {
            let file = try PublishableFile.create(committer, isReplacing: isReplacing)
            try file.write(bytes)
            return file
        }
    }

    /// Makes sure that the file is as durable under its name as `level` says: that the folders are, which were flushed
    /// before, and that the disk gives back what was written. Answers what the ledger is to say of it; nil where it is a
    /// folder's, of which it says nothing.
    ///
    /// - Throws: `.noSpace`, `.io`, `.damaged`: the name is to be withdrawn.
    func checkDurable(
        in folder: GroupFolders.Node,
        at path: RelativePath,
        _ level: Durability,
        from origin: Origin,
        _ committer: Committer
    ) throws(FxferError) -> LedgerEntry? {
        if level > .verified { try receiving("make durable", path) { try folder.checkDurable() } }
        guard let status = self.status else { return nil }
        if level == .media {
            let access = try committer.media.access(for: path)
            let reading = MediaReading(path: path, size: self.size, digest: self.digest, access: access)
            try reading.compare(in: folder.descriptor, status.identity)
        }
        return Committer.entry(path, self.size, self.digest, modified: status.stamp.modified, level, from: origin)
    }

    /// Takes the name back that the file got; see ``OwnedDescriptor/withdraw(_:of:)``.
    func withdraw(from folder: borrowing OwnedDescriptor, _ name: CPath) {
        guard let file = self.status?.identity else { return }
        folder.withdraw(name, of: file)
    }

    /// Gives the name back to the file that this one took it from; see ``PublishableFile/withdraw(_:from:_:of:)``.
    func withdraw(_ replacement: Replacement, from folder: borrowing OwnedDescriptor, _ name: CPath) {
        guard let file = self.status?.identity else { return }
        self.file?.withdraw(replacement, from: folder, name, of: file)
    }

    /// Gives the sealed file its name, in one step. False where that is taken or the folder was removed.
    mutating func move(to folder: GroupFolders.Node, as path: RelativePath) throws(FxferError) -> Bool {
        do {
            try self.file?.move(to: folder.descriptor, as: CPath(path.lastComponent))
            return true
        } catch {
            switch error.number {
            case EEXIST, ENOENT: return false
            case EXDEV: throw FolderTree.isElsewhere(path)
            default: throw .receiving("create", path, error)
            }
        }
    }
}

extension PublishableFile {
    /// An empty file: one without a name where that is possible and enough.
    fileprivate static func create(_ committer: Committer, isReplacing: Bool) throws(Errno) -> PublishableFile {
        if let linking = committer.linking, !isReplacing {
            return PublishableFile(try NamelessFile.create(in: committer.partials, linking))
        }
        return PublishableFile(try PartialFile.create(in: committer.partials))
    }
}

extension GroupFolders.Node {
    /// See ``seemsToHave(_:)``.
    func seemsToHave(_ path: RelativePath) throws(FxferError) -> Bool {
        try receiving("create", path) { try self.seemsToHave(CPath(path.lastComponent)) }
    }
}
