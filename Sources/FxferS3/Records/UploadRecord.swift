import FxferProtocol
import FxferStorage
import NIOCore

/// How far an upload in parts has come: enough for another node to go on with it. See <doc:ObjectLayout>.
struct UploadRecord: Hashable, Sendable {
    /// The node's run, and the file there, that goes on with it.
    var owner: String
    /// Whether that one has let go of it.
    var isFree = false
    /// Whether its upload is being given up: nobody goes on with it, but to give it up, too.
    var isDoomed = false
    /// How often it was written: so that no two have the same bytes, nor the same entity tag.
    var serial: UInt64 = 0
    /// The offered path.
    let path: RelativePath
    /// Where it is to be stored, where that is another one.
    let target: RelativePath
    /// The announced size in bytes; nil where it is not known: nobody else can go on then.
    let size: UInt64?
    let modified: FileTime?
    /// Of the object's metadata.
    var id: String
    /// Nil until a part was sent.
    var upload: String?
    var parts = Parts()
    /// What is verified behind the parts, and too little for one; nil where there is nothing.
    var tail: Tail?

    /// What went up in parts, from the first one on without a gap.
    struct Parts: Hashable, Sendable {
        var count = 0
        /// Where the running digest was behind them.
        var position: UInt64 = 0
        /// See ``HashCheckpoint/encoded``.
        var hash: [UInt8] = []
        /// Of the list of parts, so that no other part has taken the place of one.
        var list = Digest.ofNothing
    }

    struct Tail: Hashable, Sendable {
        /// The last component of its key.
        var name: String
        var size: UInt64
        var digest: Digest
    }

    /// How large it may be in bytes.
    static let maxBytes = 64 << 10

    /// How many bytes are there.
    var length: UInt64 { self.parts.position + (self.tail?.size ?? 0) }

    var encoded: ByteBuffer {
        HashedLine.encode { line in
            line.add("owner", self.owner)
            line.add("free", self.isFree ? 1 : 0)
            line.add("doomed", self.isDoomed ? 1 : 0)
            line.add("serial", self.serial)
            line.add("path", EscapedText.ascii(self.path.bytes))
            line.add("target", EscapedText.ascii(self.target.bytes))
            if let size { line.add("size", "\(size)") }
            if let modified { line.add("mtime", modified.decimal) }
            line.add("id", self.id)
            if let upload { line.add("upload", upload) }
            line.add("parts", UInt64(self.parts.count))
            line.add("position", self.parts.position)
            line.add("state", HexText.encode(self.parts.hash))
            line.add("list", self.parts.list)
            if let tail {
                line.add("tail", tail.name)
                line.add("tail-size", tail.size)
                line.add("tail-sha256", tail.digest)
            }
        }
    }

    /// The digest of a list of parts: of a line `NUMBER SIZE TAG` for each.
    static func digest(of parts: some Sequence<StoredPart>) -> Digest {
        var hash = SHA256()
        for part in parts {
            Array("\(part.number) \(part.size) \(part.tag)\n".utf8).withUnsafeBytes { hash.update($0) }
        }
        return hash.digest()
    }
}

extension UploadRecord {
    /// Reads what ``encoded`` writes; nil for anything else.
    init?(_ encoded: ByteBuffer) {
        guard let record = HashedLine.decode(encoded, Self.init(fields:)) else { return nil }
        self = record
    }

    private init?(fields reader: inout JSONLineReader) {
        guard let owner = reader.text("owner"), let free = reader.number("free"), free <= 1,
            let doomed = reader.number("doomed"), doomed <= 1, let serial = reader.number("serial"),
            let path = Self.path(reader.text("path")), let target = Self.path(reader.text("target"))
        else { return nil }
        let size = reader.optionalText("size").flatMap { UInt64($0) }
        let modified = reader.optionalText("mtime").flatMap(FileTime.init(decimal:))
        guard let id = reader.text("id"), RandomID.isOne(id) else { return nil }
        let upload = reader.optionalText("upload")
        guard upload.map(S3Client.isUploadID) ?? true, let count = reader.number("parts"),
            count <= UInt64(S3Client.maxParts),
            let position = reader.number("position"), position <= FileAttributes.maxSize,
            let state = reader.text("state").flatMap(HexText.decode),
            let list = reader.text("list").flatMap(Digest.init(hex:))
        else { return nil }
        var tail: Tail?
        if let name = reader.optionalText("tail") {
            guard RandomID.isOne(name), let size = reader.number("tail-size"), size <= FileAttributes.maxSize,
                let digest = reader.text("tail-sha256").flatMap(Digest.init(hex:))
            else { return nil }
            tail = Tail(name: name, size: size, digest: digest)
        }
        self.init(
            owner: owner,
            isFree: free == 1,
            isDoomed: doomed == 1,
            serial: serial,
            path: path,
            target: target,
            size: size,
            modified: modified,
            id: id,
            upload: upload,
            parts: Parts(count: Int(count), position: position, hash: state, list: list),
            tail: tail
        )
    }

    private static func path(_ text: String?) -> RelativePath? {
        text.flatMap(EscapedText.bytes(ofASCII:)).flatMap { try? RelativePath(bytes: $0) }
    }
}
