import FxferProtocol
import FxferStorage
import NIOCore

/// Who may give a name to an object that went up in parts, and what that object is. See <doc:ObjectLayout>.
///
/// A ``HashedLine``.
struct Claim: Hashable, Sendable {
    enum State: String, Hashable, Sendable {
        /// Its owner is about to complete the upload.
        case active
        /// The object was completed; this is its record.
        case done
        /// Its owner has withdrawn.
        case void
    }

    var state: State
    /// That of the object's metadata.
    var id: String
    var upload: String
    var content: ObjectMetadata.Content

    /// How large it may be in bytes.
    static let maxBytes = 16 << 10

    var encoded: ByteBuffer {
        HashedLine.encode { line in
            line.add("claim", self.state.rawValue)
            line.add("id", self.id)
            line.add("upload", self.upload)
            line.add("size", self.content.size)
            line.add("sha256", self.content.digest)
            line.add("stored", self.content.stored.rfc3339)
            line.add("durability", self.content.durability.name)
            line.add("entry", self.content.entry)
            line.add("entry-hash", self.content.entryHash)
        }
    }
}

extension Claim {
    /// Reads what ``encoded`` writes; nil for anything else.
    init?(_ encoded: ByteBuffer) {
        guard let claim = HashedLine.decode(encoded, Self.init(fields:)) else { return nil }
        self = claim
    }

    private init?(fields reader: inout JSONLineReader) {
        guard let state = reader.text("claim").flatMap(State.init(rawValue:)),
            let id = reader.text("id"), RandomID.isOne(id),
            let upload = reader.text("upload"), S3Client.isUploadID(upload),
            let size = reader.number("size"), size <= FileAttributes.maxSize,
            let digest = reader.text("sha256").flatMap(Digest.init(hex:)),
            let stored = reader.text("stored").flatMap(FileTime.init(rfc3339:)),
            let durability = reader.text("durability").flatMap(Durability.init(name:)),
            let entry = reader.text("entry"),
            let entryHash = reader.text("entry-hash").flatMap(Digest.init(hex:))
        else { return nil }
        self.state = state
        self.id = id
        self.upload = upload
        self.content = ObjectMetadata.Content(
            size: size,
            digest: digest,
            stored: stored,
            durability: durability,
            entry: entry,
            entryHash: entryHash
        )
    }
}
