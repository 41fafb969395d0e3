import FxferProtocol
import Glibc

/// What a store writes down of the files that it publishes, beside them.
struct StoreRecords: Sendable {
    let ledger: Ledger
    let states: StatesFolder
}

/// What every commit needs of its store.
struct Committer: Sendable {
    let tree: FolderTree
    let partials: PartialsFolder
    /// How files without a name are published; nil where they cannot be.
    let linking: NamelessFile.Linking?
    /// Nil where nothing is written down.
    let records: StoreRecords?

    /// What the ledger is to say of a file that is published now.
    static func entry(
        _ path: RelativePath,
        _ size: UInt64,
        _ digest: Digest,
        modified: FileTime,
        from origin: Origin
    ) -> LedgerEntry {
        LedgerEntry(
            path: path,
            size: size,
            digest: digest,
            modified: modified,
            time: .now(),
            origin: origin,
            durability: .durable
        )
    }

    /// Writes files that are durable under their names into the ledger; answers nothing where none is kept.
    ///
    /// - Throws: `.noSpace`, `.io`: none of them is in it.
    func record(_ entries: [LedgerEntry]) throws(FxferError) -> [StoredEntry] {
        guard let ledger = self.records?.ledger else { return [] }
        let hashes = try ledger.append(entries)
        return zip(entries, hashes).map { entry, hash in StoredEntry(entry, hash) }
    }

    /// Makes a file that is there already durable, and writes it into the ledger where that does not know it.
    func confirm(_ file: PublishedFile, from origin: Origin) throws(FxferError) -> Publication {
        try file.confirmDurable()
        var (publication, unrecorded) = try self.confirmed(file, from: origin)
        if let unrecorded { publication.record = try self.record([unrecorded]).first }
        return publication
    }

    /// What a file that is there already, and durable, is for its sender; and what the ledger is to be told of it, where
    /// it does not know it with this content.
    func confirmed(
        _ file: PublishedFile,
        from origin: Origin
    ) throws(FxferError) -> (Publication, unrecorded: LedgerEntry?) {
        let digest = try file.digest()
        if let line = try self.records?.ledger.latest(for: file.path), line.entry.size == file.size,
            line.entry.digest == digest
        {
            return (Publication(.identical, at: file.path, StoredEntry(line.entry, line.hash)), nil)
        }
        let entry = Self.entry(file.path, file.size, digest, modified: file.modified, from: origin)
        return (Publication(.identical, at: file.path), entry)
    }
}

extension StoredEntry {
    fileprivate init(_ entry: LedgerEntry, _ hash: Digest) {
        self.init(time: entry.time, durability: entry.durability, entry: hash)
    }
}
