import FxferProtocol
import FxferStorage
import NIOCore

/// A file that went up in parts gets its name when its upload is completed.
///
/// Some stores overwrite what has the name then, whatever the request says. So the name is claimed first, by an object
/// that only one writer can write: <doc:ObjectLayout>.
extension Publishing {
    func publishParts() async throws -> Publication {
        guard let upload else { throw FxferError(.internal, "parts without an upload") }
        let rest = self.finished.rest
        let last =
            rest.readableBytes == 0
            ? nil
            : ClosedPart(
                number: self.finished.parts + 1,
                bytes: rest,
                end: self.finished.end,
                share: self.finished.share
            )
        let (id, parts) = try await upload.finish(last)
        return try await self.forEachPath { path in
            try await self.publish(PartsToComplete(upload: id, object: upload.id, parts: parts), at: path)
        }
    }

    private struct PartsToComplete {
        let upload: String
        /// The id in the object's metadata.
        let object: String
        let parts: [StoredPart]
    }

    /// Nil where something else has the path and is to stay.
    private func publish(_ parts: PartsToComplete, at path: RelativePath) async throws -> Publication? {
        // Waiting for others is bounded by their claims, and those by their limit.
        while true {
            let there = try await self.store.look(at: path)
            if let there {
                if let publication = try await self.identical(there) { return publication }
                guard self.conflict == .replace else { return nil }
            } else {
                try await self.store.checkFolders(of: path)
                if try await self.store.isFolder(path) {
                    guard self.conflict == .keepBoth else { throw self.store.isTakenByFolder(path) }
                    return nil
                }
            }
            guard path == self.target.stored else {
                // Parts cannot be moved to another name.
                throw FxferError(.busy, "another file took the name '\(self.target.stored)'; send this one again")
            }
            guard let (tag, claim) = try await self.takeClaim(parts, at: path) else {
                try await Task.sleep(for: .milliseconds(200))
                continue
            }
            if self.conflict != .replace, try await self.store.look(at: path) != nil {
                await self.withdraw(claim, tag)
                continue
            }
            return try await self.complete(parts, claim, tag, isReplacing: there != nil)
        }
    }

    // MARK: The claim

    /// A claim that this file has, and its line for the ledger.
    private struct OwnClaim {
        let key: [UInt8]
        var claim: Claim
        let path: RelativePath
        let line: LedgerObjects.Line
        let entry: LedgerEntry
    }

    /// Takes the claim of the name; nil where another has it, which is to be asked for again.
    private func takeClaim(
        _ parts: PartsToComplete,
        at path: RelativePath
    ) async throws -> (tag: String, claim: OwnClaim)? {
        let (line, content) = self.record(at: path)
        let claim = Claim(state: .active, id: parts.object, upload: parts.upload, content: content)
        let key = self.store.names.claim(path)
        let own = OwnClaim(key: key, claim: claim, path: path, line: line.line, entry: line.entry)
        guard let (there, tag, age) = try await self.store.claim(of: path) else {
            return try await self.write(claim, key, .absent).map { ($0, own) }
        }
        if let there, there.state == .active, there.id != claim.id {
            let object = try await self.store.look(at: path)
            if object?.metadata?.id != there.id {
                guard .seconds(age) > self.store.options.claimLimit else { return nil }
                // Its owner is gone, or has been stopped: it shall not complete that any more. Where it did so before this,
                // the object is there now.
                try await self.store.begun.abort(there.upload, self.store.names.key(of: path.bytes))
                if try await self.store.look(at: path)?.metadata?.id == there.id { return nil }
            }
        }
        return try await self.write(claim, key, .matches(tag)).map { ($0, own) }
    }

    /// Nil where somebody else was faster.
    private func write(_ claim: Claim, _ key: [UInt8], _ condition: WriteCondition) async throws -> String? {
        let body = claim.encoded
        do {
            return try await self.client.put(key, body, condition)
        } catch let error as S3Error where error.isPreconditionFailed {
            // Perhaps by this one itself, in a try whose answer was lost.
            guard let there = try await self.client.get(key, limit: Claim.maxBytes), there.body == body else {
                return nil
            }
            return there.tag
        }
    }

    /// Gives the name to others. Never removed: it could be another's by now.
    private func withdraw(_ own: OwnClaim, _ tag: String) async {
        var claim = own.claim
        claim.state = .void
        _ = try? await self.write(claim, own.key, .matches(tag))
    }

    // MARK: Completing

    private func complete(
        _ parts: PartsToComplete,
        _ own: OwnClaim,
        _ tag: String,
        isReplacing: Bool
    ) async throws -> Publication {
        try await self.store.hiddenNames.prepare(own.path.bytes)
        let renewal = ClaimRenewal(self.client, own.key, own.claim, tag, every: self.store.options.claimLimit / 4)
        let failure = await self.complete(parts, at: own.path)
        let newest = await renewal.end()
        let there: StoredObject?
        do {
            there = try await self.store.look(at: own.path)
        } catch {
            throw failure ?? error
        }
        let isStored = there?.metadata?.id == own.claim.id
        guard isStored || failure == nil && self.conflict == .replace else {
            await self.withdraw(own, newest)
            if let failure, !failure.isPreconditionFailed { throw failure }
            throw self.store.isTaken(own.path)
        }
        if isStored, there?.size != self.finished.size {
            throw FxferError(.io, "'\(own.path)' has another size in the object store than was sent there")
        }
        var done = own.claim
        done.state = .done
        async let claim = self.write(done, own.key, .matches(newest))
        let publication = try await self.recorded(isReplacing ? .replaced : .stored, own.line, own.entry, at: own.path)
        // Without it, the claim and the object say the same, a little later.
        _ = try? await claim
        return publication
    }

    /// Completes the upload, again where its outcome is not known; answers why it could not be.
    private func complete(_ parts: PartsToComplete, at path: RelativePath) async -> S3Error? {
        let key = self.store.names.key(of: path.bytes)
        var failure: S3Error?
        for attempt in 1...self.client.options.attempts {
            do {
                try await self.client.completeUpload(
                    parts.upload,
                    key,
                    parts.parts,
                    isNew: self.conflict != .replace
                )
                return nil
            } catch let error as S3Error {
                // One whose answer was lost may have been carried out.
                if (try? await self.store.look(at: path))??.metadata?.id == parts.object { return nil }
                failure = error
                guard error.isTemporary else { return error }
            } catch {
                return S3Error(reason: .unreachable("\(error)"), request: "completion of '\(path)'")
            }
            try? await Task.sleep(for: .milliseconds(100 << attempt))
        }
        return failure
    }
}

/// Renews a claim for as long as its upload is being completed, which may take long for many parts.
private actor ClaimRenewal {
    private let client: S3Client
    private let key: [UInt8]
    private let claim: Claim
    private var tag: String
    private var task: Task<Void, Never>?

    init(_ client: S3Client, _ key: [UInt8], _ claim: Claim, _ tag: String, every interval: Duration) {
        self.client = client
        self.key = key
        self.claim = claim
        self.tag = tag
        Task { await self.begin(interval) }
    }

    private func begin(_ interval: Duration) {
        guard self.task == nil else { return }
        self.task = Task {
            while (try? await Task.sleep(for: interval)) != nil {
                guard let tag = try? await self.client.put(self.key, self.claim.encoded, .matches(self.tag)) else {
                    return
                }
                self.tag = tag
            }
        }
    }

    /// Answers the claim's entity tag.
    func end() async -> String {
        let task = self.task
        self.task = Task {}
        task?.cancel()
        await task?.value
        return self.tag
    }
}
