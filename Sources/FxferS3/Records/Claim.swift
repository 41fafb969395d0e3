import FxferProtocol
import FxferStorage
import NIOCore

/// Who may give a name to an object that went up in parts, and what that object is. See <doc:ObjectLayout>.
///
/// A ``HashedLine``.
struct Claim: Hashable, Sendable {
    enum State: String, Hashable, Sendable {
        /// Its owner wants the name, and has not looked yet whether it is free. Whoever writes `void` over that stops him.
        case wanted
        /// Its owner has found the name free, and is completing the upload. Nobody can stop that any more, but everybody can
        /// complete it.
        case active
        /// The same, but its owner does not know what became of it: whoever comes next completes it.
        case left
        /// The object was completed; this is its record.
        case done
        /// Its owner has withdrawn, or was stopped.
        case void
    }

    var state: State
    /// Of this one try to get the name: nobody else's has it.
    let owner: String
    /// That of the object's metadata.
    let id: String
    let upload: String
    /// The digest of the list of its parts, ``UploadRecord/digest(of:)``.
    let parts: Digest
    let content: ObjectMetadata.Content

    /// How large it may be in bytes.
    static let maxBytes = 16 << 10

    /// Whether the name may still be given to its upload.
    var isOpen: Bool {
        switch self.state {
        case .wanted, .active, .left: true
        case .done, .void: false
        }
    }

    /// Whether an object that has its id is the one that it tells of.
    var tellsOfObject: Bool {
        switch self.state {
        case .active, .left, .done: true
        case .wanted, .void: false
        }
    }

    func with(_ state: State) -> Claim {
        var copy = self
        copy.state = state
        return copy
    }

    var encoded: ByteBuffer {
        HashedLine.encode { line in
            line.add("claim", self.state.rawValue)
            line.add("owner", self.owner)
            line.add("id", self.id)
            line.add("upload", self.upload)
            line.add("parts", self.parts)
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
            let owner = reader.text("owner"), RandomID.isOne(owner),
            let id = reader.text("id"), RandomID.isOne(id),
            let upload = reader.text("upload"), S3Client.isUploadID(upload),
            let parts = reader.text("parts").flatMap(Digest.init(hex:)),
            let size = reader.number("size"), size <= FileAttributes.maxSize,
            let digest = reader.text("sha256").flatMap(Digest.init(hex:)),
            let stored = reader.text("stored").flatMap(FileTime.init(rfc3339:)),
            let durability = reader.text("durability").flatMap(Durability.init(name:)),
            let entry = reader.text("entry"),
            let entryHash = reader.text("entry-hash").flatMap(Digest.init(hex:))
        else { return nil }
        self.state = state
        self.owner = owner
        self.id = id
        self.upload = upload
        self.parts = parts
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
