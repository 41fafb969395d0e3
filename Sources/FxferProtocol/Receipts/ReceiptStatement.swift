/// What a signed receipt says: a file of this name, size and SHA-256 is stored, since when, how durably, and who says so.
///
/// The bytes that are signed are one line of JSON (``JSONLineWriter``) and its line feed, ASCII, the members in this order:
///
/// ```
/// {"format":"fxfer-receipt","version":1,"path":"a/b","size":3,"sha256":"HEX","time":"2026-01-31T12:00:00.000000000Z",
///  "durability":"durable","outcome":"stored","entry":"HEX","server":"SHA256:BASE64","key":"BASE64"}
/// ```
///
/// (here in two lines). The path is escaped (``EscapedText/ascii(_:)``); `entry` is left out where there is no ledger. There
/// is one way to write a statement: what reads it takes no other.
package struct ReceiptStatement: Hashable, Sendable {
    /// More than any statement has, in bytes: a path of 4,096 bytes takes at most five for each.
    package static let maxByteCount = 32_768

    private static let format = "fxfer-receipt"
    private static let version: UInt64 = 1

    /// The path's bytes under which the file is stored.
    package var path: [UInt8]
    package var content: FilePrefix
    package var stored: StoredEntry
    package var outcome: Receipt.Outcome
    package var key: ReceiptKey

    package init(
        path: [UInt8],
        content: FilePrefix,
        stored: StoredEntry,
        outcome: Receipt.Outcome,
        key: ReceiptKey
    ) {
        self.path = path
        self.content = content
        self.stored = stored
        self.outcome = outcome
        self.key = key
    }

    /// The statement that `receipt` makes by this key; nil where it is not signed.
    package init?(_ receipt: Receipt, by key: ReceiptKey) {
        guard let attestation = receipt.attestation else { return nil }
        self.init(
            path: receipt.path,
            content: receipt.content,
            stored: attestation.stored,
            outcome: receipt.outcome,
            key: key
        )
    }

    /// The bytes that are signed.
    package var bytes: [UInt8] {
        var line = JSONLineWriter()
        line.add("format", Self.format)
        line.add("version", Self.version)
        line.add("path", EscapedText.ascii(self.path))
        line.add("size", self.content.length)
        line.add("sha256", self.content.digest.hex)
        line.add("time", self.stored.time.rfc3339)
        line.add("durability", self.stored.durability.name)
        line.add("outcome", self.outcome.name)
        if let entry = self.stored.entry { line.add("entry", entry.hex) }
        line.add("server", self.key.fingerprint)
        line.add("key", self.key.encoded)
        return line.finish()
    }

    /// Reads a statement; nil for bytes that differ in anything from those that ``bytes`` gives.
    package init?(reading bytes: [UInt8]) {
        guard bytes.count <= Self.maxByteCount, bytes.last == UInt8(ascii: "\n"),
            var line = JSONLineReader(bytes.dropLast()),
            line.text("format") == Self.format, line.number("version") == Self.version,
            let path = line.text("path").flatMap(EscapedText.bytes(ofASCII:)),
            let size = line.number("size"),
            let digest = line.text("sha256").flatMap(Digest.init(hex:)),
            let time = line.text("time").flatMap(FileTime.init(rfc3339:)), StoredEntry.seconds.contains(time.seconds),
            let durability = line.text("durability").flatMap(Durability.init(name:)),
            let outcome = line.text("outcome").flatMap(Receipt.Outcome.init(name:))
        else { return nil }
        let entry = line.optionalText("entry")
        guard let server = line.text("server"), let key = line.text("key"), line.isAtEnd() else { return nil }
        self.init(
            path: path,
            content: FilePrefix(length: size, digest: digest),
            stored: StoredEntry(time: time, durability: durability, entry: entry.flatMap(Digest.init(hex:))),
            outcome: outcome,
            key: ReceiptKey(fingerprint: server, encoded: key)
        )
        // Whatever the parts above forgive is not forgiven.
        guard self.bytes == bytes else { return nil }
    }
}

extension Receipt.Outcome {
    /// As it stands in a statement.
    package var name: String {
        switch self {
        case .stored: "stored"
        case .identical: "identical"
        case .replaced: "replaced"
        }
    }

    init?(name: String) {
        guard let outcome = [Self.stored, .identical, .replaced].first(where: { $0.name == name }) else { return nil }
        self = outcome
    }
}
