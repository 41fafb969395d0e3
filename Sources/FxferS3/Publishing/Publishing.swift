import FxferProtocol
import FxferStorage
import NIOCore
import Synchronization

/// Gives a complete file its name, in one step, and writes it into the ledger.
struct Publishing: Sendable {
    let store: ObjectStore
    let target: ObjectTarget
    let finished: FinishedObject
    let upload: MultipartUpload?
    let origin: Origin
    let progress = Progress()

    /// How far it has come.
    final class Progress: Sendable {
        /// Whether the object has its name: only the ledger may be missing.
        let isStored = Atomic(false)
        /// Whether a request to complete its upload may be carried out yet.
        let isUnclear = Atomic(false)
    }

    /// How often a name may come and go under us before we give up.
    static let attempts = 16

    init(
        _ store: ObjectStore,
        _ target: ObjectTarget,
        _ finished: FinishedObject,
        _ upload: MultipartUpload?,
        _ origin: Origin
    ) {
        self.store = store
        self.target = target
        self.finished = finished
        self.upload = upload
        self.origin = origin
    }

    var client: S3Client { self.store.client }
    var claims: NameClaims { self.store.claims }
    var conflict: ConflictPolicy { self.store.options.conflict }

    /// - Throws: ``FxferProtocol/FxferError`` as ``StagedFile/publish(from:_:)`` tells. What was sent of it is gone then,
    ///   unless the reason may pass.
    func run() async throws -> Publication {
        do {
            let publication = try await storing("store", self.target.path) {
                if self.target.isFolder { return try await self.publishFolder() }
                return self.finished.parts > 0 ? try await self.publishParts() : try await self.publishWhole()
            }
            // What went up in parts, and was there already, is of no use; and whoever went on with it has done so.
            if self.finished.parts > 0, publication.outcome == .identical {
                await self.upload?.remove()
            } else {
                await self.upload?.removeRecord()
            }
            return publication
        } catch {
            await self.giveUp(FxferError(wrapping: error))
            throw error
        }
    }

    private func giveUp(_ error: FxferError) async {
        guard let upload else { return }
        // Sent again it is found to be there.
        if self.progress.isStored.load(ordering: .relaxed) { return await upload.removeRecord() }
        // Nothing is given up that may be completed yet: who comes next sees to that.
        if self.progress.isUnclear.load(ordering: .relaxed) {
            _ = await self.leave(upload)
            return
        }
        if error.code == .busy, upload.isResumable, await self.leave(upload) { return }
        await upload.remove()
    }

    /// Lets another try go on; false where that could not be written down.
    private func leave(_ upload: MultipartUpload) async -> Bool {
        let start = self.finished.size - UInt64(self.finished.rest.readableBytes)
        return (try? await upload.leave(self.finished.rest, at: start)) != nil
    }

    // MARK: Folders

    /// An object without content, whose name ends with a slash.
    private func publishFolder() async throws -> Publication {
        let path = self.target.path
        try await self.store.checkFolders(of: path)
        if try await self.store.look(at: path) != nil { throw self.store.isTaken(path) }
        let name = path.bytes + [UInt8(ascii: "/")]
        try await self.store.hiddenNames.prepare(name)
        let key = self.store.names.key(of: name)
        let metadata = self.store.metadata(of: self.target, id: RandomID.make())
        let old = try await self.client.head(key).flatMap { ObjectMetadata($0.headers, size: 0) }
        let isSame =
            old.map { old in
                (self.target.attributes.modified.map { $0 == old.modified } ?? true)
                    && (metadata.permissions == nil || metadata.permissions == old.permissions)
            } ?? false
        if !isSame { try await self.client.put(key, ByteBuffer(), headers: metadata.headers) }
        self.store.knownFolders.add(path.bytes)
        return Publication(isSame ? .identical : .stored, at: path, self.target.level)
    }

    // MARK: Whole files

    /// One request that the store carries out or not.
    private func publishWhole() async throws -> Publication {
        try await self.forEachPath { try await self.publishWhole(at: $0) }
    }

    /// Tries the paths that the file may have, one after the other.
    ///
    /// - Parameter body: answers nil where something else has the path, and is to stay.
    func forEachPath(_ body: (RelativePath) async throws -> Publication?) async throws -> Publication {
        let path = self.target.path
        if let publication = try await body(path) { return publication }
        guard self.conflict == .keepBoth else { throw self.store.isTaken(path) }
        for number in 1...ObjectStore.maxCopies {
            if let publication = try await body(try self.store.copy(number, of: path)) { return publication }
        }
        throw FxferError(.exists, "'\(path)' and \(ObjectStore.maxCopies) copies beside it exist; remove some")
    }

    private func publishWhole(at path: RelativePath) async throws -> Publication? {
        try await self.store.checkFolders(of: path)
        for _ in 0..<Self.attempts {
            // What was about to be done before is not to come after this one.
            if self.conflict == .replace { try await self.claims.settle(path) }
            // A name that is free is the rule, so that is tried before anybody looks.
            let seen = self.conflict == .replace ? try await self.store.look(at: path) : nil
            if let seen {
                if let publication = try await self.identical(seen) { return publication }
            } else if try await self.store.isFolder(path) {
                // A file beside it, which others have put there, may be the same.
                if let file = try await self.store.look(at: path), let publication = try await self.identical(file) {
                    return publication
                }
                guard self.conflict == .keepBoth else { throw self.store.isTakenByFolder(path) }
                return nil
            }
            let id = RandomID.make()
            if let publication = try await self.put(id, at: path, over: seen) { return publication }
            guard let there = try await self.store.look(at: path) else { continue }
            if let publication = try await self.identical(there) { return publication }
            guard self.conflict == .replace else { return nil }
        }
        throw self.comesAndGoes(path)
    }

    /// Stores the object where nothing has the name, or that which was seen; nil where something else has.
    private func put(_ id: String, at path: RelativePath, over seen: StoredObject?) async throws -> Publication? {
        let (line, content) = self.record(at: path)
        var metadata = self.store.metadata(of: self.target, id: id)
        metadata.modified = line.entry.modified
        metadata.content = content
        try await self.store.hiddenNames.prepare(path.bytes)
        let key = self.store.names.key(of: path.bytes)
        do {
            try await self.client.put(
                key,
                self.finished.rest,
                digest: self.finished.digest,
                headers: metadata.headers,
                seen.map { .matches($0.tag) } ?? .absent
            )
        } catch let error as S3Error where error.isPreconditionFailed {
            // It may have been stored by a try whose answer was lost.
            guard try await self.store.look(at: path)?.metadata?.id == id else { return nil }
        } catch let error as S3Error where error.isMissing && seen != nil {
            return nil
        }
        guard try await self.keepsName(id, at: path) || self.conflict == .replace else { return nil }
        return try await self.recorded(seen == nil ? .stored : .replaced, line.line, line.entry, at: path)
    }

    /// Whether an object that was just stored keeps its name: an upload in parts that had claimed the name before may
    /// still be completed over it. Waits until that is decided.
    private func keepsName(_ id: String, at path: RelativePath) async throws -> Bool {
        // Where there was never a claim, whoever claims it now finds the object.
        guard try await self.claims.settle(path) != nil else { return true }
        return try await self.store.look(at: path)?.metadata?.id == id
    }

    // MARK: What is written down

    /// What the ledger is to say of the file, and its metadata.
    func record(
        at path: RelativePath
    ) -> (line: (line: LedgerObjects.Line, entry: LedgerEntry), content: ObjectMetadata.Content) {
        let entry = LedgerEntry(
            path: path,
            size: self.finished.size,
            digest: self.finished.digest,
            modified: self.target.attributes.modified ?? .now(),
            time: .now(),
            origin: self.origin,
            durability: self.target.level
        )
        let line = self.store.ledger.line(entry)
        let content = ObjectMetadata.Content(
            size: entry.size,
            digest: entry.digest,
            stored: entry.time,
            durability: entry.durability,
            entry: line.name,
            entryHash: line.hash
        )
        return ((line, entry), content)
    }

    /// Writes the file into the ledger. Where that fails, the object stays, and its sender has no receipt: sent again, it
    /// is found, and written into the ledger then.
    func recorded(
        _ outcome: Publication.Outcome,
        _ line: LedgerObjects.Line,
        _ entry: LedgerEntry,
        at path: RelativePath
    ) async throws -> Publication {
        self.progress.isStored.store(true, ordering: .relaxed)
        try await self.store.ledger.write(line)
        let stored = StoredEntry(time: entry.time, durability: entry.durability, entry: line.hash)
        return Publication(outcome, at: path, entry.durability, stored)
    }

    /// What it is where a file with the same content has the name; nil where another has, or one that is not what was stored.
    func identical(_ there: StoredObject) async throws -> Publication? {
        guard there.size == self.finished.size else { return nil }
        do {
            guard try await self.store.hash(there) == self.finished.digest,
                try await self.store.content(of: there).map({ $0.digest == self.finished.digest }) ?? true
            else { return nil }
            return try await self.store.confirm(there, self.finished.digest, self.target.level, self.origin)
        } catch let error as FxferError where error.code == .io {
            // It has changed since: the next look tells.
            return nil
        } catch let error as S3Error where error.isPreconditionFailed || error.isMissing {
            return nil
        }
    }

    func comesAndGoes(_ path: RelativePath) -> FxferError {
        FxferError(.busy, "'\(path)' comes and goes while it is stored; try again later")
    }
}
