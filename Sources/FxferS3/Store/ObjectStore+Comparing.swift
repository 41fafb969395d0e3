import FxferProtocol
import FxferStorage
import NIOCore

/// What is there already, and what is known of its content.
extension ObjectStore {
    /// How much is read at once to be hashed, in bytes.
    private static var bytesPerRead: UInt64 { 2 << 20 }

    /// What was written down of an object: in its metadata, or in the claim by which it got its name. Nil for one that
    /// somebody else has written.
    func content(of object: StoredObject) async throws -> ObjectMetadata.Content? {
        guard let metadata = object.metadata else { return nil }
        if let content = metadata.content { return content }
        guard let claim = try await self.claims.claim(of: object.path)?.claim, claim.id == metadata.id,
            claim.tellsOfObject, claim.content.size == object.size
        else { return nil }
        return claim.content
    }

    /// Reads an object as it was when it was looked at; answers its SHA-256. What was written down of it says what was
    /// stored, not what is there.
    ///
    /// - Parameter progress: told how many bytes are read, before they are.
    /// - Throws: ``S3Error``; with a failed precondition where it is another by now.
    func hash(
        _ object: StoredObject,
        progress: (@Sendable (Int) async throws -> Void)? = nil
    ) async throws -> Digest {
        var hash = SHA256()
        var offset: UInt64 = 0
        while offset < object.size {
            let end = min(offset + Self.bytesPerRead, object.size)
            try await progress?(Int(end - offset))
            let share = try await self.readMemory.pieces.take(Int(end - offset), isFurther: offset > 0)
            hash.update(try await self.client.get(object.key, offset..<end, tag: object.tag))
            withExtendedLifetime(share) {}
            offset = end
            try Task.checkCancellation()
        }
        return hash.digest()
    }

    /// A file that was there, and is what was sent: makes sure that it still is there, that nobody is about to give its name
    /// to another one, and that it is in the ledger.
    func confirm(
        _ object: StoredObject,
        _ digest: Digest,
        _ level: Durability,
        _ origin: Origin
    ) async throws -> Publication {
        try await self.claims.settle(object.path)
        guard let now = try await self.look(at: object.path), now.tag == object.tag, now.size == object.size else {
            throw FxferError(.io, "'\(object.path)' was changed while it was compared; send it again")
        }
        let content = try await self.content(of: now)
        guard content.map({ $0.digest == digest }) ?? true else { throw self.isDamaged(object.path) }
        if let content, content.durability >= level, try await self.ledger.has(content.entry) {
            let record = StoredEntry(time: content.stored, durability: level, entry: content.entryHash)
            return Publication(.identical, at: object.path, level, record)
        }
        let entry = LedgerEntry(
            path: object.path,
            size: object.size,
            digest: digest,
            modified: now.modified,
            time: .now(),
            origin: origin,
            durability: level
        )
        let line = self.ledger.line(entry)
        try await self.ledger.write(line)
        return Publication(
            .identical,
            at: object.path,
            level,
            StoredEntry(time: entry.time, durability: level, entry: line.hash)
        )
    }

    func isDamaged(_ path: RelativePath) -> FxferError {
        FxferError(
            .exists,
            "'\(path)' is not what was stored there: it was damaged or changed in the object store; remove it there, and "
                + "send it again"
        )
    }
}
