import FxferProtocol
import Glibc

extension PartialsFolder {
    /// The partials here, in no order. Reads only, and leaves out whatever is damaged or gone meanwhile.
    func summaries() throws(Errno) -> [PartialSummary] {
        try self.staged().compactMap { name in
            guard let file = try? self.openForLooking(name), let status = try? file.status() else { return nil }
            guard let isFree = try? file.tryLock(.shared) else { return nil }
            // At once, as a server that wants the partial does not wait for long.
            if isFree { file.unlock() }
            return try? self.summary(of: name, status, isInUse: !isFree)
        }
    }

    /// What journal and content of `name` say; nil where there is no journal that makes sense.
    func summary(
        of name: PartialName,
        _ content: FileStatus,
        isInUse: Bool
    ) throws(Errno) -> PartialSummary? {
        guard let journalName = name.journal, let there = try self.folder.status(of: journalName),
            there.kind == .regular
        else { return nil }
        let file = try self.folder.openBeneath(journalName, Self.lookingFlags)
        guard let header = try PartialJournal.header(in: file), self.name(for: header.path) == name else { return nil }
        let journal = PartialJournal(file, header)
        var records = PartialRecords(upTo: content.size)
        var verified: UInt64 = 0
        while let record = try records.next(in: journal) { verified = record.length }
        return PartialSummary(
            path: header.path,
            size: header.size,
            verified: verified,
            lastWrite: there.stamp.modified,
            isInUse: isInUse
        )
    }

    /// The content of `name`, open for reading; nil where there is none, or something else.
    func openForLooking(_ name: PartialName) throws(Errno) -> OwnedDescriptor? {
        // Looks before it opens: opening alone has effects on FIFOs and devices.
        guard try self.folder.status(of: name.content)?.kind == .regular else { return nil }
        return try self.folder.openBeneath(name.content, Self.lookingFlags)
    }

    private static let lookingFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY
}
