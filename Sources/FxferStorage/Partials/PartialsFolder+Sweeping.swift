import FxferProtocol
import Glibc

extension PartialsFolder {
    /// Removes staged files that a killed server left and that no later try can go on from: all that nobody has locked.
    /// Answers how many.
    ///
    /// A server makes such a file first and locks it then, so a sweep may come between the two and take the lock. The
    /// file is gone then, and its maker knows: it finds the lock taken or the file without a name, and makes another
    /// (``PartialFile/create(in:)``). A staged file that is just published is safe, too: what the sweep removes is the
    /// name here, which is gone when the lock is free.
    func sweep() throws(Errno) -> Int {
        try self.staged().count { $0.journal == nil && self.removeUnlocked($0) { _ in true } }
    }

    /// Removes partials that nobody has locked: those of which nothing is verified or known, those older than the rules
    /// say, and the oldest of those that are too much together. Answers how many.
    ///
    /// Age is told by the journal's time, as the content has its sender's from shortly before it is published on.
    func expire() throws(Errno) -> Int {
        let now = FileTime.now()
        let expired = try self.staged().count { name in
            name.journal != nil
                && self.removeUnlocked(name) { content in
                    guard let partial = try self.summary(of: name, content, isInUse: false) else { return true }
                    return partial.verified == 0 || self.rules.keepFor <= .zero
                        || partial.lastWrite.duration(to: now) >= self.rules.keepFor
                }
        }
        let beyond = self.keepWithinBounds()
        // In this order, so that one that is left meanwhile is either seen or noted.
        self.noteNoneLeft()
        if try self.staged().contains(where: { $0.journal != nil }) { self.noteLeft() }
        return expired + beyond
    }

    /// Removes the oldest partials that nobody has locked, as long as these are too much together. Answers how many.
    @discardableResult
    func keepWithinBounds() -> Int {
        let partials = (try? self.staged())?.compactMap(self.extent) ?? []
        // Most often all is well, and no file need be opened to know.
        guard self.beyondBounds(partials).count > 0 else { return 0 }
        return self.beyondBounds(partials.filter { !self.isLocked($0.name) })
            .count { partial in self.removeUnlocked(partial.name) { _ in true } }
    }

    /// A partial's size and age, from its attributes alone.
    private struct Extent {
        let name: PartialName
        let size: UInt64
        let lastWrite: FileTime
    }

    private func extent(of name: PartialName) -> Extent? {
        guard let journal = name.journal, let content = try? self.folder.status(of: name.content), content.isOwnFile
        else { return nil }
        let written = (try? self.folder.status(of: journal)) ?? content
        return Extent(name: name, size: content.size, lastWrite: written.stamp.modified)
    }

    /// All but the newest that fit.
    private func beyondBounds(_ partials: [Extent]) -> ArraySlice<Extent> {
        let newestFirst = partials.sorted { $1.lastWrite.duration(to: $0.lastWrite) > .zero }
        var total: UInt64 = 0
        let first = newestFirst.firstIndex { partial in
            let (sum, overflow) = total.addingReportingOverflow(partial.size)
            total = sum
            return overflow || sum > self.rules.maxBytes
        }
        return newestFirst[(first ?? newestFirst.count)...]
    }

    func isLocked(_ name: PartialName) -> Bool {
        guard let file = try? self.openForLooking(name) else { return false }
        return (try? file.tryLock(.shared)) == false
    }

    /// Locks the content of `name` and removes it and its journal where `isGarbage` says so; answers whether it did.
    ///
    /// For a journal that is alone, content is made first: only who has locked content under the name may touch the
    /// journal. A server that opens this content at the same time finds the lock taken, or the name gone, and tries
    /// again (``claim(_:)``).
    @discardableResult
    func removeUnlocked(
        _ name: PartialName,
        where isGarbage: (FileStatus) throws -> Bool
    ) -> Bool {
        do {
            guard let file = try self.openForLooking(name) ?? self.makeForOrphan(name), try file.tryLock(.exclusive)
            else { return false }
            let status = try file.status()
            guard status.isOwnFile, try self.folder.status(of: name.content)?.identity == status.identity,
                try isGarbage(status)
            else { return false }
            self.remove(name, of: file)
            return true
        } catch {
            // One that cannot be opened or removed is no reason not to serve.
            return false
        }
    }

    /// Empty content for a journal that has none; nil where there is no such journal.
    private func makeForOrphan(_ name: PartialName) throws(Errno) -> OwnedDescriptor? {
        guard let journal = name.journal, try self.folder.status(of: journal)?.isOwnFile == true else { return nil }
        return try self.folder.openBeneath(name.content, O_CREAT | O_EXCL | O_RDONLY, mode: 0o600)
    }
}

extension FileTime {
    func duration(to other: FileTime) -> Duration {
        .seconds(other.seconds) - .seconds(self.seconds)
            + .nanoseconds(Int64(other.nanoseconds) - Int64(self.nanoseconds))
    }
}
