import FxferProtocol

/// One line of the ledger: an entry, linked to the one before.
///
/// ```
/// {"path":"a/b.txt","size":6,"sha256":"5891…","mtime":"1700000000.000000000","time":"2026-01-31T12:00:00.000000000Z",
///  "address":"192.0.2.7","token":"lab","durability":"durable","previous":"…","hash":"…"}
/// ```
///
/// (in one line; `address` and `token` only where they are known). The path's backslashes are doubled, and every byte that
/// is no printable ASCII is `\xHH`.
/// `hash` is the SHA-256 of the line's bytes before `,"hash"`, and so of the entry and of the link: nothing before can
/// be changed, left out or moved without changing every hash behind it.
package struct LedgerLine: Hashable, Sendable {
    package var entry: LedgerEntry
    /// The hash of the line before; ``FxferProtocol/Digest/zero`` in the first one.
    package var previous: Digest
    /// The hash of this line.
    package var hash: Digest

    /// Adds the line of `entry`, behind the line with the hash `previous`, to `bytes`; answers its hash.
    package static func write(_ entry: LedgerEntry, after previous: Digest, to bytes: inout [UInt8]) -> Digest {
        var line = JSONLineWriter()
        line.add("path", EscapedText.ascii(entry.path.bytes))
        line.add("size", entry.size)
        line.add("sha256", entry.digest)
        line.add("mtime", entry.modified.decimal)
        line.add("time", entry.time.rfc3339)
        if let address = entry.origin.address { line.add("address", address) }
        if let token = entry.origin.token { line.add("token", token) }
        line.add("durability", entry.durability.name)
        line.add("previous", previous)
        let hash = SHA256.digest(of: line.bytes[...])
        line.add("hash", hash)
        bytes.append(contentsOf: line.finish())
        return hash
    }

    /// The path alone, of a line that may not be as it was written; nil where it does not begin as an entry.
    static func path(of line: ArraySlice<UInt8>) -> RelativePath? {
        guard var reader = JSONLineReader(line) else { return nil }
        return Self.path(&reader)
    }

    private static func path(_ reader: inout JSONLineReader) -> RelativePath? {
        guard let bytes = reader.text("path").flatMap(EscapedText.bytes(ofASCII:)) else { return nil }
        return try? RelativePath(bytes: bytes)
    }

    /// Reads a line, without its line feed; nil where it is no entry, or is not as it was written.
    package init?(_ line: ArraySlice<UInt8>) {
        guard var reader = JSONLineReader(line),
            let path = Self.path(&reader),
            let size = reader.number("size"),
            let digest = reader.text("sha256").flatMap(Digest.init(hex:)),
            let modified = reader.text("mtime").flatMap(FileTime.init(decimal:)),
            let time = reader.text("time").flatMap(FileTime.init(rfc3339:))
        else { return nil }
        let origin = Origin(address: reader.optionalText("address"), token: reader.optionalText("token"))
        guard let durability = reader.text("durability").flatMap(Durability.init(name:)),
            let previous = reader.text("previous").flatMap(Digest.init(hex:))
        else { return nil }
        let hashed = line.prefix(reader.position)
        guard let hash = reader.text("hash").flatMap(Digest.init(hex:)), reader.isAtEnd(),
            SHA256.digest(of: hashed) == hash
        else { return nil }
        self.entry = LedgerEntry(
            path: path,
            size: size,
            digest: digest,
            modified: modified,
            time: time,
            origin: origin,
            durability: durability
        )
        self.previous = previous
        self.hash = hash
    }
}

extension SHA256 {
    /// The digest of `bytes`.
    package static func digest(of bytes: ArraySlice<UInt8>) -> Digest {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.digest()
    }
}
