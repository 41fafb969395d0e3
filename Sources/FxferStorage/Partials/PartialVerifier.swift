import FxferProtocol

/// Finds out how much of a partial is good: reads its content back and compares the digests in its journal.
///
/// A record that does not match is passed over, as it may be the record that is damaged; the last one that matches
/// counts, whatever is behind. Content that cannot be read is content that is not there.
struct PartialVerifier: ~Copyable, Sendable {
    /// How many bytes are there, if all of them are good.
    let expectedLength: UInt64
    private var file: PartialFile
    private var records: PartialRecords
    /// The record that is hashed towards.
    private var next: PartialRecord?
    private var hash: SteppedHash
    /// The end of what is good, and how many records that are.
    private var good: SteppedHash.Place
    private var goodCount: UInt64 = 0

    /// - Parameter limit: bytes beyond which nothing is of use: the offered size.
    init(_ partial: consuming PartialFile, upTo limit: UInt64) throws(Errno) {
        var file = partial
        let size = try file.hasJournal() ? file.file.status().size : 0
        self.records = PartialRecords(upTo: min(limit, size))
        self.expectedLength = Self.lastLength(in: file, upTo: min(limit, size))
        // Also where this ends early: of what nobody can go on from nothing is to stay.
        if self.expectedLength == 0 { file.leave(false) }
        let hash = SteppedHash()
        self.good = hash.place()
        self.hash = hash
        self.file = file
    }

    /// What the last record says.
    private static func lastLength(in file: borrowing PartialFile, upTo limit: UInt64) -> UInt64 {
        var records = PartialRecords(upTo: limit)
        var length: UInt64 = 0
        while let record = try? file.next(of: &records) { length = record.length }
        return length
    }

    /// Reads and hashes up to `count` bytes; true when all is known.
    mutating func hash(upTo count: UInt64) -> Bool {
        var rest = count
        while rest > 0 {
            if self.next == nil { self.next = try? self.file.next(of: &self.records) }
            guard let record = self.next else { return true }
            let wanted = min(record.length - self.hash.position, rest)
            guard let read = try? self.hash.update(from: self.file.file, count: wanted), read == wanted
            else { return true }
            rest -= read
            if self.hash.position == record.length { self.compare(record) }
        }
        return false
    }

    private mutating func compare(_ record: PartialRecord) {
        self.next = nil
        guard self.hash.digest() == record.digest else { return }
        self.good = self.hash.place()
        self.goodCount = self.records.count
    }

    /// The partial with what is good of it, from where a try goes on; all else is cut off.
    consuming func finish(_ path: RelativePath) throws(Errno) -> StagedContent {
        var file = self.file
        var hash = self.hash
        hash.goBack(to: self.good)
        if hash.position > 0 {
            try file.resume(at: hash.position, after: self.goodCount)
            file.leave(false)
        } else {
            // Before, as nothing is to stay where that fails.
            file.leave(false)
            try file.restart()
        }
        return StagedContent(file, path, hash: hash)
    }
}
