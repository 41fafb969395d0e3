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
    let media: MediaProbe

    /// What the ledger is to say of a file that is published now.
    static func entry(
        _ path: RelativePath,
        _ size: UInt64,
        _ digest: Digest,
        modified: FileTime,
        _ level: Durability,
        from origin: Origin
    ) -> LedgerEntry {
        LedgerEntry(
            path: path,
            size: size,
            digest: digest,
            modified: modified,
            time: .now(),
            origin: origin,
            durability: level
        )
    }

    /// Writes files that are as durable under their names as they have to be into the ledger; answers nothing where none
    /// is kept.
    ///
    /// - Throws: `.noSpace`, `.io`: none of them is in it.
    func record(_ entries: [LedgerEntry]) throws(FxferError) -> [StoredEntry] {
        guard let ledger = self.records?.ledger else { return [] }
        let hashes = try ledger.append(entries)
        return zip(entries, hashes).map { entry, hash in StoredEntry(entry, hash) }
    }

    /// The digest that `file` was stored with, where it has decayed: where it has another one now, or the disk does not
    /// give it any more. Nil for a file that is as it was stored, that nobody knows, or that somebody has written to since,
    /// as its size or time says.
    func digestBeforeDecay(of file: PublishedFile) throws(FxferError) -> Digest? {
        guard let entry = try self.records?.ledger.latest(for: file.path)?.entry, entry.size == file.size,
            entry.modified == file.modified
        else { return nil }
        do {
            return try entry.digest == file.digest() ? nil : entry.digest
        } catch  where error.isDiskError {
            return entry.digest
        }
    }

    /// Makes sure that `file`, which has the content that was sent for `target`, may be told as stored: what has decayed is
    /// not made right by who has the same damage, unless files may be replaced by others in any case.
    ///
    /// - Throws: `.exists`.
    func checkIdentical(_ file: PublishedFile, _ target: PublishingTarget) throws(FxferError) {
        if target.repairsOnly { return try self.checkAsStored(file) }
        guard target.conflict != .replace, try self.digestBeforeDecay(of: file) != nil else { return }
        throw Receiver.decayedError(file.path)
    }

    /// Makes sure that `file` has the content that it was stored with.
    ///
    /// - Throws: `.exists` where it has not, or nobody knows.
    private func checkAsStored(_ file: PublishedFile) throws(FxferError) {
        let entry = try self.records?.ledger.latest(for: file.path)?.entry
        guard let entry, entry.size == file.size, entry.digest == (try file.digest()) else {
            throw FxferError(.exists, "'\(file.path)' is not what was stored here, and neither is what was sent for it")
        }
    }

    /// Makes a file that is there already as durable as `level` says, and writes it into the ledger where that does not
    /// know it.
    func confirm(
        _ file: PublishedFile,
        _ level: Durability,
        from origin: Origin
    ) throws(FxferError) -> Publication {
        try file.confirm(level, self.media)
        var (publication, unrecorded) = try self.confirmed(file, level, from: origin)
        if let unrecorded { publication.record = try self.record([unrecorded]).first }
        return publication
    }

    /// What a file that is there already, and was brought to `level`, is for its sender; and what the ledger is to be told
    /// of it, where it does not know it with this content and level.
    func confirmed(
        _ file: PublishedFile,
        _ level: Durability,
        from origin: Origin
    ) throws(FxferError) -> (Publication, unrecorded: LedgerEntry?) {
        let digest = try file.digest()
        if let line = try self.records?.ledger.latest(for: file.path), line.entry.size == file.size,
            line.entry.digest == digest, line.entry.durability >= level
        {
            // The entry may tell of more that was done once; what was done now is what counts.
            let record = StoredEntry(time: line.entry.time, durability: level, entry: line.hash)
            return (Publication(.identical, at: file.path, level, record), nil)
        }
        let entry = Self.entry(file.path, file.size, digest, modified: file.modified, level, from: origin)
        return (Publication(.identical, at: file.path, level), entry)
    }
}

extension StoredEntry {
    fileprivate init(_ entry: LedgerEntry, _ hash: Digest) {
        self.init(time: entry.time, durability: entry.durability, entry: hash)
    }
}
