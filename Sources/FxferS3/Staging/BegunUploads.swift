import FxferProtocol
import FxferStorage
import NIOCore

/// Which uploads in parts the nodes of this store have begun and not ended: what a node leaves that dies has to be told
/// from what others have begun in the same bucket, and a store's own list does not say whose an upload is.
///
/// Each is written down before its first part is sent, and struck out when it was completed or given up.
struct BegunUploads: Sendable {
    /// One that nobody has struck out.
    struct Entry: Hashable, Sendable {
        let upload: String
        let key: [UInt8]
    }

    /// How large one may be in bytes: an upload's id, and a key of which each byte may be escaped.
    private static let maxBytes = 16 << 10

    private let client: S3Client
    private let names: ObjectNames

    init(_ client: S3Client, _ names: ObjectNames) {
        self.client = client
        self.names = names
    }

    /// - Throws: ``S3Error``; nothing may be sent then.
    func add(_ upload: String, _ key: [UInt8]) async throws {
        try await self.client.put(self.place(of: upload), Entry(upload: upload, key: key).encoded)
    }

    /// One was completed. What cannot be removed now expires.
    func remove(_ upload: String) async {
        try? await self.client.delete(self.place(of: upload))
    }

    /// Gives one up, and all that was sent of it.
    ///
    /// - Throws: ``S3Error``; it expires then.
    func abort(_ upload: String, _ key: [UInt8]) async throws {
        try await self.client.abortUpload(upload, key)
        await self.remove(upload)
    }

    /// Gives up those that were begun longer ago than `patience`, but for `known`.
    ///
    /// - Parameter now: by the store's clock, in seconds since 1970.
    func expire(_ patience: Duration, now: Int64, butFor known: Set<String>) async throws {
        let known = Set(known.map(self.place))
        try await self.client.forEachPage(self.names.begun) { page in
            for object in page.objects where !known.contains(object.key) && object.age(at: now) > patience {
                let answer = try await self.client.get(object.key, limit: Self.maxBytes)
                if let entry = answer.flatMap({ Entry($0.body) }), entry.key.starts(with: self.names.prefix) {
                    try await self.client.abortUpload(entry.upload, entry.key)
                }
                try await self.client.delete(object.key)
            }
        }
    }

    private func place(of upload: String) -> [UInt8] {
        self.names.begun + ObjectNames.hash(Array(upload.utf8))
    }
}

extension BegunUploads.Entry {
    var encoded: ByteBuffer {
        HashedLine.encode { line in
            line.add("upload", self.upload)
            line.add("key", EscapedText.ascii(self.key))
        }
    }

    /// Reads what ``encoded`` writes; nil for anything else.
    init?(_ encoded: ByteBuffer) {
        guard
            let entry = HashedLine.decode(
                encoded,
                { reader -> Self? in
                    guard let upload = reader.text("upload"), S3Client.isUploadID(upload),
                        let key = reader.text("key").flatMap(EscapedText.bytes(ofASCII:))
                    else { return nil }
                    return Self(upload: upload, key: key)
                }
            )
        else { return nil }
        self = entry
    }
}
