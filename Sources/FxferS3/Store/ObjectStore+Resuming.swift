import FxferProtocol
import FxferStorage
import NIOCore

/// What an earlier try, here or at another node, has left of a file.
extension ObjectStore {
    /// Begins with what is left of the file, or anew; either way nobody else does so meanwhile.
    ///
    /// - Throws: `.busy` where another connection or node has it.
    func beginResumable(_ target: ObjectTarget, _ size: UInt64) async throws -> StagedObject {
        let key = self.names.upload(target.path)
        let fresh = UploadRecord(
            owner: RandomID.make(),
            path: target.path,
            target: target.stored,
            size: size,
            modified: target.attributes.modified,
            id: RandomID.make()
        )
        do {
            let tag = try await self.client.put(key, fresh.encoded, .absent)
            return self.staged(target, fresh, at: key, tag: tag)
        } catch let error as S3Error where error.isPreconditionFailed {
        }
        let (left, tag) = try await self.awaitRecord(at: key, target.path, butFor: fresh)
        // This one's own, in a try whose answer was lost.
        if left == fresh { return self.staged(target, fresh, at: key, tag: tag) }
        guard let left else {
            return self.staged(target, fresh, at: key, tag: try await self.take(key, fresh, tag, target.path))
        }
        return try await self.goOn(with: left, tag, target, fresh)
    }

    /// Takes over what is left, and goes on with it where it is of that file.
    private func goOn(
        with left: UploadRecord,
        _ tag: String,
        _ target: ObjectTarget,
        _ fresh: UploadRecord
    ) async throws -> StagedObject {
        let key = self.names.upload(target.path)
        var own = left
        own.owner = fresh.owner
        own.isFree = false
        own.serial &+= 1
        // Before anything else: who had it cannot claim the name for it any more.
        var taken = try await self.take(key, own, tag, target.path)
        do {
            if let upload = own.upload, try await self.claims.stop(upload, of: own.target) {
                if let tail = own.tail { try? await self.client.delete(self.names.tails + Array(tail.name.utf8)) }
                try await self.client.delete(key)
                throw NameWasSettled()
            }
            if !own.isDoomed, let rest = try await self.load(own, for: fresh) {
                return self.staged(target, own, at: key, tag: taken, rest)
            }
            own.isDoomed = true
            own.serial &+= 1
            taken = try await self.take(key, own, taken, target.path)
            try await self.end(own)
            return self.staged(target, fresh, at: key, tag: try await self.take(key, fresh, taken, target.path))
        } catch let error where !(error is NameWasSettled) {
            own.isFree = true
            _ = try? await self.take(key, own, taken, target.path)
            throw error
        }
    }

    private func staged(
        _ target: ObjectTarget,
        _ record: UploadRecord,
        at key: [UInt8],
        tag: String,
        _ rest: Rest
    ) -> StagedObject {
        let upload = MultipartUpload(
            self,
            record,
            at: key,
            tag: tag,
            parts: rest.parts,
            attributes: self.metadata(of: target, id: record.id)
        )
        let bytes = StagedBytes(rest.checkpoint, parts: rest.parts.count, tail: rest.tail, share: rest.share)
        let file = StagedObject(self, target, bytes, upload: upload)
        rest.share?.beginFilling { [weak file] in file?.revoke() }
        return file
    }

    /// How long somebody who offers a file waits for the one that has it to be silent for long enough.
    private static let longestWait = Duration.seconds(10)

    /// The record of another try, and its tag, once that one has let go of it or was silent for long enough: a sender whose
    /// node died is at another one a moment later, and should not be told that it is there already.
    ///
    /// - Throws: `.busy` where the other one goes on, or the time is longer than a sender can be made to wait;
    ///   ``NameWasSettled`` where there is none any more.
    private func awaitRecord(
        at key: [UInt8],
        _ path: RelativePath,
        butFor own: UploadRecord
    ) async throws -> (left: UploadRecord?, tag: String) {
        var first: String?
        let end = ContinuousClock.now + Self.longestWait
        while true {
            // It has come to its end just now.
            guard let there = try await self.client.record(key, limit: UploadRecord.maxBytes) else {
                throw NameWasSettled()
            }
            guard let tag = there.tag else { throw Self.isInUse(path) }
            let left = UploadRecord(there.body)
            let isSilent = there.age.map { .seconds($0) > self.options.takeOverAfter } ?? false
            if left?.isFree ?? true || left == own || isSilent { return (left, tag) }
            let mayWait = self.options.takeOverAfter < Self.longestWait && .now < end
            guard mayWait, first == nil || first == tag else { throw Self.isInUse(path) }
            first = tag
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    private func staged(
        _ target: ObjectTarget,
        _ record: UploadRecord,
        at key: [UInt8],
        tag: String
    ) -> StagedObject {
        let metadata = self.metadata(of: target, id: record.id)
        let upload = MultipartUpload(self, record, at: key, tag: tag, attributes: metadata)
        return StagedObject(self, target, upload: upload)
    }

    /// Writes the record in the place of the one with that tag.
    private func take(
        _ key: [UInt8],
        _ record: UploadRecord,
        _ tag: String,
        _ path: RelativePath
    ) async throws -> String {
        do {
            return try await self.client.put(key, record.encoded, .matches(tag))
        } catch let error as S3Error where error.isPreconditionFailed {
            throw Self.isInUse(path)
        }
    }

    private static func isInUse(_ path: RelativePath) -> FxferError {
        FxferError(.busy, "'\(path)' is being received over another connection; try again later")
    }

    /// What is left, as it is to be gone on with.
    private struct Rest {
        let checkpoint: HashCheckpoint?
        let parts: [StoredPart]
        let tail: ByteBuffer
        let share: TransferMemory.Share?
    }

    /// Reads what a record tells of; nil where that is another file's, not there any more, or nothing.
    private func load(_ left: UploadRecord, for fresh: UploadRecord) async throws -> Rest? {
        guard left.path == fresh.path, left.size == fresh.size, left.modified == fresh.modified,
            left.target == fresh.target, left.length > 0, left.length <= fresh.size ?? 0
        else { return nil }
        var parts: [StoredPart] = []
        var checkpoint: HashCheckpoint?
        if left.parts.count > 0 {
            checkpoint = HashCheckpoint(position: left.parts.position, encoded: left.parts.hash)
            guard checkpoint != nil, let upload = left.upload,
                let stored = try await self.client.parts(of: upload, self.names.key(of: left.target.bytes))
            else { return nil }
            parts = Array(stored.prefix(left.parts.count))
            guard parts.map(\.number) == Array(1...left.parts.count),
                parts.reduce(0, { $0 + $1.size }) == left.parts.position,
                UploadRecord.digest(of: parts) == left.parts.list
            else { return nil }
        }
        guard let tail = left.tail else {
            return Rest(checkpoint: checkpoint, parts: parts, tail: ByteBuffer(), share: nil)
        }
        // As large as one chunk may have made it.
        let rest = left.size.map { $0 - min($0, left.parts.position) }
        let most = self.memoryOfPart(left.size, number: parts.count + 1, rest: rest)
        guard tail.size <= most else { return nil }
        let share = try await self.memory.take(most, isFurther: false)
        let key = self.names.tails + Array(tail.name.utf8)
        guard let bytes = try await self.client.get(key, limit: Int(tail.size))?.body,
            SHA256.digest(of: bytes) == tail.digest
        else { return nil }
        var copy = ByteBuffer()
        copy.reserveCapacity(share.bytes)
        copy.writeImmutableBuffer(bytes)
        return Rest(checkpoint: checkpoint, parts: parts, tail: copy, share: share)
    }

    /// Ends what a doomed record tells of, which was taken over before: gives the upload up, unless the name was claimed for
    /// it and it has to be completed. The record stays.
    ///
    /// - Throws: `.busy` where its owner is about to complete it; ``S3Error``, and nothing is lost then.
    func end(_ record: UploadRecord) async throws {
        if let upload = record.upload {
            var isCompleted = try await self.claims.stop(upload, of: record.target)
            if !isCompleted { isCompleted = try await self.look(at: record.target)?.metadata?.id == record.id }
            if !isCompleted { try await self.client.abortUpload(upload, self.names.key(of: record.target.bytes)) }
        }
        if let tail = record.tail { try? await self.client.delete(self.names.tails + Array(tail.name.utf8)) }
    }
}
