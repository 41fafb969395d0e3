import FxferProtocol
import FxferStorage
import NIOHTTP1

/// What an object that this store has written says of itself, in its metadata.
struct ObjectMetadata: Hashable, Sendable {
    /// Of this one writing: nobody else's has it.
    var id: String
    var modified: FileTime
    var permissions: UInt16?
    /// Nil for one that went up in parts: it was not known when that began, and stands in the claim of its name.
    var content: Content?

    /// What is known when all content is there.
    struct Content: Hashable, Sendable {
        var size: UInt64
        var digest: Digest
        /// When it was stored.
        var stored: FileTime
        var durability: Durability
        /// The last component of the key of its line in the ledger.
        var entry: String
        /// The hash of that line.
        var entryHash: Digest
    }

    private static let prefix = "x-amz-meta-fxfer-"

    /// As headers of the request that writes the object.
    var headers: [(String, String)] {
        var fields = [("id", self.id), ("mtime", self.modified.decimal)]
        if let permissions { fields.append(("mode", "0" + String(permissions, radix: 8))) }
        if let content {
            fields.append(("size", "\(content.size)"))
            fields.append(("sha256", content.digest.hex))
            fields.append(("stored", content.stored.rfc3339))
            fields.append(("durability", content.durability.name))
            fields.append(("entry", content.entry))
            fields.append(("entry-hash", content.entryHash.hex))
        }
        return fields.map { (Self.prefix + $0.0, $0.1) }
    }

    init(id: String, modified: FileTime, permissions: UInt16?, content: Content? = nil) {
        self.id = id
        self.modified = modified
        self.permissions = permissions
        self.content = content
    }

    /// Reads them; nil for an object that somebody else has written.
    init?(_ headers: HTTPHeaders, size: UInt64) {
        func field(_ name: String) -> String? { headers.first(name: Self.prefix + name) }
        guard let id = field("id"), RandomID.isOne(id),
            let modified = field("mtime").flatMap(FileTime.init(decimal:))
        else { return nil }
        self.init(
            id: id,
            modified: modified,
            permissions: field("mode").flatMap { UInt16($0, radix: 8) }.map { $0 & FileAttributes.permissionMask }
        )
        // A size that is another than the object's own says that these are not its own words.
        guard let named = field("size").flatMap({ UInt64($0) }), named == size,
            let digest = field("sha256").flatMap(Digest.init(hex:)),
            let stored = field("stored").flatMap(FileTime.init(rfc3339:)),
            let durability = field("durability").flatMap(Durability.init(name:)),
            let entry = field("entry"), let hash = field("entry-hash").flatMap(Digest.init(hex:))
        else { return }
        self.content = Content(
            size: size,
            digest: digest,
            stored: stored,
            durability: durability,
            entry: entry,
            entryHash: hash
        )
    }
}

/// An object as the store tells of it.
struct StoredObject: Sendable {
    let path: RelativePath
    let key: [UInt8]
    let tag: String
    /// In bytes.
    let size: UInt64
    /// Nil where somebody else has written it.
    let metadata: ObjectMetadata?
    private let written: Int64

    /// - Parameter answer: to HEAD.
    init?(_ answer: S3Answer, _ path: RelativePath, _ key: [UInt8]) {
        guard let tag = answer.tag, let size = answer.length, size <= FileAttributes.maxSize else { return nil }
        self.path = path
        self.key = key
        self.tag = tag
        self.size = size
        self.written = answer.modified ?? 0
        self.metadata = ObjectMetadata(answer.headers, size: size)
    }

    /// The time that its sender told, or else when it was written.
    var modified: FileTime { self.metadata?.modified ?? FileTime(seconds: self.written, nanoseconds: 0) }

    var attributes: FileAttributes {
        FileAttributes(size: self.size, modified: self.modified, permissions: self.metadata?.permissions ?? 0o644)
    }
}
