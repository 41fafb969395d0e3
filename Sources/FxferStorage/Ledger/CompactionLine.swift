import FxferProtocol

/// The first line of a ledger that was compacted: what it was made from.
///
/// ```
/// {"compacted":"2026-01-31T12:00:00.000000000Z","entries":2,"dropped":40,"sha256":"…","last":"…","hash":"…"}
/// ```
///
/// The next `entries` lines are left of the ledger before, each as it was, so that receipts which name their hashes still
/// find them; `dropped` is how many were left out, now and earlier. `sha256` is that of those lines with their line
/// feeds, and `last` the hash of the last line of the ledger before. `hash` is the SHA-256 of the line's bytes before
/// `,"hash"`. The line behind the ones that are left follows on the last of them, or on this one where none is left.
struct CompactionLine: Hashable, Sendable {
    var time: FileTime
    var entries: UInt64
    var dropped: UInt64
    var digest: Digest
    var last: Digest

    init(time: FileTime, entries: UInt64, dropped: UInt64, digest: Digest, last: Digest) {
        self.time = time
        self.entries = entries
        self.dropped = dropped
        self.digest = digest
        self.last = last
    }

    /// The line with its line feed.
    var encoded: [UInt8] {
        var line = self.hashed
        line.add("hash", self.hash)
        return line.finish()
    }

    var hash: Digest { SHA256.digest(of: self.hashed.bytes[...]) }

    private var hashed: JSONLineWriter {
        var line = JSONLineWriter()
        line.add("compacted", self.time.rfc3339)
        line.add("entries", self.entries)
        line.add("dropped", self.dropped)
        line.add("sha256", self.digest)
        line.add("last", self.last)
        return line
    }

    /// Reads a line, without its line feed; nil where it is no such line, or is not as it was written.
    init?(_ line: ArraySlice<UInt8>) {
        guard var reader = JSONLineReader(line),
            let time = reader.text("compacted").flatMap(FileTime.init(rfc3339:)),
            let entries = reader.number("entries"),
            let dropped = reader.number("dropped"),
            let digest = reader.text("sha256").flatMap(Digest.init(hex:)),
            let last = reader.text("last").flatMap(Digest.init(hex:))
        else { return nil }
        let hashed = line.prefix(reader.position)
        guard let hash = reader.text("hash").flatMap(Digest.init(hex:)), reader.isAtEnd(),
            SHA256.digest(of: hashed) == hash
        else { return nil }
        self.init(time: time, entries: entries, dropped: dropped, digest: digest, last: last)
    }
}
