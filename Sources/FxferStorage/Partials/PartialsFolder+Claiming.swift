import Glibc

/// What came of the wish to have a partial.
enum PartialClaim: ~Copyable {
    /// It is locked, and no other has it. Its files stay unless it is told otherwise.
    case held(PartialFile)
    /// Another connection or process has it.
    case inUse
    /// Something else than a partial of this user's has the name; it is left alone.
    case unusable
}

extension PartialsFolder {
    /// Opens and locks the content of `name`, made where it is missing.
    ///
    /// Whoever removes or publishes a partial has locked it. So the lock counts only where the name still stands for
    /// the locked file; where it does not, its holder was faster, and this begins again.
    func claim(_ name: PartialName) throws(Errno) -> PartialClaim {
        for _ in 0..<Self.patience {
            // Looks before it opens: opening alone has effects on FIFOs and devices.
            if let there = try self.folder.status(of: name.content), !there.isOwnFile { return .unusable }
            let file: OwnedDescriptor
            do {
                file = try self.folder.openBeneath(name.content, Self.flags | O_RDWR, mode: 0o600)
            } catch {
                guard Self.isUnusable(error) else { throw error }
                return .unusable
            }
            guard try file.tryLock(.exclusive) else {
                var millisecond = timespec(tv_sec: 0, tv_nsec: 1_000_000)
                nanosleep(&millisecond, nil)
                continue
            }
            let status = try file.status()
            guard let there = try self.folder.status(of: name.content), there.identity == status.identity else {
                continue
            }
            guard status.isOwnFile else { return .unusable }
            guard status.links == 1 else {
                // Published by link(2), and killed before the old name was gone: not to be written to any more.
                try self.folder.remove(name.content)
                continue
            }
            // An earlier try may have been killed when it had set the permissions to be published already.
            if status.permissions != 0o600 { try file.setPermissions(0o600) }
            var partial = PartialFile(file, name, self)
            partial.leave()
            return .held(partial)
        }
        return .inUse
    }

    /// How long, in steps of a millisecond, to wait for a lock: those who only look at a partial (sweeps, lists) hold
    /// it for about one.
    private static let patience = 100
    private static let flags = O_CREAT | O_NONBLOCK | O_NOCTTY

    /// Opens the journal of `name`, made where it is missing; nil where something else has its name. The content has
    /// to be locked.
    func openJournal(of name: PartialName) throws(Errno) -> OwnedDescriptor? {
        guard let journal = name.journal else { return nil }
        if let there = try self.folder.status(of: journal) {
            guard there.isOwnFile else { return nil }
            // No journal of ours has a second name, which would be written to, too.
            if there.links > 1 { try self.folder.remove(journal) }
        }
        do {
            let file = try self.folder.openBeneath(journal, Self.flags | O_RDWR, mode: 0o600)
            guard try file.status().isOwnFile else { return nil }
            return file
        } catch {
            guard Self.isUnusable(error) else { throw error }
            return nil
        }
    }

    /// Whether a file cannot be opened for what it is rather than for want of something.
    private static func isUnusable(_ error: Errno) -> Bool {
        [ELOOP, EISDIR, ENXIO, EACCES, EPERM].contains(error.number)
    }
}

extension FileStatus {
    /// Whether this may be a staged file: a regular one of this user's.
    var isOwnFile: Bool { self.kind == .regular && self.owner == geteuid() }
}
