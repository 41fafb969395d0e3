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
        // Until it is fenced, whoever asks is to see that somebody has it.
        let renewal = Task { [interval = self.store.options.takeOverAfter / 4] in
            while (try? await Task.sleep(for: interval)) != nil { upload.touch() }
        }
        defer { renewal.cancel() }
        let (id, parts) = try await upload.finish(last)
        let whole = WholeUpload(id: id, object: upload.id, parts: parts)
        return try await self.forEachPath { try await self.publish(whole, upload, at: $0) }
    }

    /// An upload of which all parts are there.
    private struct WholeUpload {
        let id: String
        /// The id in the object's metadata.
        let object: String
        let parts: [StoredPart]
    }

    /// Nil where something else has the path and is to stay.
    private func publish(_ whole: WholeUpload, _ upload: MultipartUpload, at path: RelativePath) async throws
        -> Publication?
    {
        for _ in 0..<Self.attempts {
            let former = try await self.claims.settle(path)
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
            if let own = try await self.take(whole, upload, at: path, after: former) {
                return try await self.complete(whole, own, isReplacing: there != nil)
            }
        }
        throw self.comesAndGoes(path)
    }

    // MARK: The claim

    /// A claim that this file has, and its line for the ledger.
    private struct OwnClaim {
        let claim: Claim
        let tag: String
        let path: RelativePath
        let line: LedgerObjects.Line
        let entry: LedgerEntry
    }

    /// Gets the name, for this upload and no other; nil where another one was faster, or something has the name by now.
    private func take(
        _ whole: WholeUpload,
        _ upload: MultipartUpload,
        at path: RelativePath,
        after former: NameClaims.Found?
    ) async throws -> OwnClaim? {
        let (line, content) = self.record(at: path)
        let wanted = Claim(
            state: .wanted,
            owner: RandomID.make(),
            id: whole.object,
            upload: whole.id,
            parts: UploadRecord.digest(of: whole.parts),
            content: content
        )
        try await self.store.hiddenNames.prepare(path.bytes)
        let condition = former.map { WriteCondition.matches($0.tag) } ?? .absent
        guard let tag = try await self.claims.write(wanted, of: path, condition) else { return nil }
        do {
            // Whoever stores a small file from now on sees the claim.
            let there = self.conflict == .replace ? nil : try await self.store.look(at: path)
            let isTaken = there != nil
            // Whoever takes the upload over from now on sees the claim.
            if !isTaken { try await upload.fence() }
            let next = wanted.with(isTaken ? .void : .active)
            guard let active = try await self.claims.write(next, of: path, .matches(tag)), !isTaken else { return nil }
            return OwnClaim(claim: next, tag: active, path: path, line: line.line, entry: line.entry)
        } catch {
            // Perhaps it is active by a request whose answer was lost, or which comes yet.
            let isVoid = (try? await self.claims.write(wanted.with(.void), of: path, .matches(tag))) ?? nil
            if isVoid == nil { self.progress.isUnclear.store(true, ordering: .relaxed) }
            throw error
        }
    }

    /// Writes into the claim what has become of it. False where it is not this one's any more: what others have made of it
    /// is for the next look.
    private func conclude(_ own: OwnClaim, _ tag: String, _ state: Claim.State) async throws -> Bool {
        var tag = tag
        for _ in 0..<3 {
            if try await self.claims.write(own.claim.with(state), of: own.path, .matches(tag)) != nil { return true }
            guard let found = try await self.claims.claim(of: own.path), let claim = found.claim,
                claim.owner == own.claim.owner
            else { return false }
            // Somebody else has completed it for us.
            if !claim.isOpen { return claim.state == state }
            tag = found.tag
        }
        return false
    }

    // MARK: Completing

    private func complete(_ whole: WholeUpload, _ own: OwnClaim, isReplacing: Bool) async throws -> Publication {
        let key = self.store.names.claim(own.path)
        let renewal = ClaimRenewal(self.client, key, own.claim, own.tag, every: self.store.options.claimLimit / 4)
        let completion = await self.complete(whole, own)
        let tag = await renewal.end()
        switch completion {
        case .done:
            // Only where that can be written down: a claim that was voided is one whose parts may be gone.
            guard try await self.conclude(own, tag, .done) else { throw self.isUnclear(own.path, nil) }
            return try await self.recorded(isReplacing ? .replaced : .stored, own.line, own.entry, at: own.path)
        case .refused(let error):
            // Others may be about to complete it, unless that is written down.
            guard (try? await self.conclude(own, tag, .void)) ?? false else {
                self.progress.isUnclear.store(true, ordering: .relaxed)
                throw self.isUnclear(own.path, error)
            }
            if error.isPreconditionFailed { throw self.store.isTaken(own.path) }
            // Parts that a former owner has sent late.
            guard error.refusesCompletion || error.isWithoutUpload else { throw error }
            throw FxferError(.busy, "the parts of '\(own.path)' were changed meanwhile; send it again", cause: error)
        case .unclear(let error):
            self.progress.isUnclear.store(true, ordering: .relaxed)
            _ = try? await self.conclude(own, tag, .left)
            throw self.isUnclear(own.path, error)
        }
    }

    private func isUnclear(_ path: RelativePath, _ cause: (any Error)?) -> FxferError {
        let reason = (cause as? S3Error).map { ": \($0.explanation)" } ?? ""
        return FxferError(
            .busy,
            "it is not clear whether '\(path)' was stored in the object store\(reason); send it again",
            cause: cause
        )
    }

    /// What has become of a request to complete an upload.
    private enum Completion {
        /// The object is there.
        case done
        /// It is not, and will not be.
        case refused(S3Error)
        /// It may be there, or may come yet.
        case unclear(S3Error?)
    }

    private func complete(_ whole: WholeUpload, _ own: OwnClaim) async -> Completion {
        let key = self.store.names.key(of: own.path.bytes)
        var isUnclear = false
        var failure: S3Error?
        for attempt in 1...self.client.options.attempts {
            failure = nil
            do {
                try await self.client.completeUpload(whole.id, key, whole.parts, isNew: self.conflict != .replace)
                // With `replace` another one may have the name by now.
                if self.conflict == .replace { return .done }
            } catch let error as S3Error {
                failure = error
            } catch {
                return .unclear(nil)
            }
            do {
                if try await self.claims.hasObject(own.claim, at: own.path) { return .done }
            } catch {
                return .unclear(failure ?? error as? S3Error)
            }
            // Completed, and removed since.
            guard let failure else { return .unclear(nil) }
            guard failure.isTemporary else { return isUnclear ? .unclear(failure) : .refused(failure) }
            isUnclear = true
            try? await Task.sleep(for: .milliseconds(100 << attempt))
        }
        return .unclear(failure)
    }
}
