import FxferProtocol
import FxferStorage

/// The claims of names: by them at most one of all who went up in parts gets a name, whatever dies and whatever arrives
/// late. The rules, and why they suffice: <doc:ObjectLayout>.
struct NameClaims: Sendable {
    /// A claim as it was read.
    struct Found: Sendable {
        /// Nil where it makes no sense, and counts as none.
        let claim: Claim?
        let tag: String
        /// In seconds, by the store's clock.
        let age: Int64
    }

    /// How long somebody waits for another's claim.
    private static let patience = Duration.seconds(120)

    private let store: ObjectStore
    private var client: S3Client { self.store.client }

    init(_ store: ObjectStore) {
        self.store = store
    }

    /// The claim of a name; nil where there was never one.
    func claim(of path: RelativePath) async throws -> Found? {
        let key = self.store.names.claim(path)
        guard let answer = try await self.client.record(key, limit: Claim.maxBytes) else { return nil }
        guard let tag = answer.tag, let age = answer.age else {
            throw self.client.nonsense("no entity tag or no dates", S3Request(.GET, key))
        }
        return Found(claim: Claim(answer.body), tag: tag, age: age)
    }

    /// Writes a claim where it is as it was read; answers its tag, or nil where somebody else was faster.
    func write(_ claim: Claim, of path: RelativePath, _ condition: WriteCondition) async throws -> String? {
        let (key, body) = (self.store.names.claim(path), claim.encoded)
        do {
            return try await self.client.put(key, body, condition)
        } catch let error as S3Error where error.isPreconditionFailed {
            // Perhaps by this one itself, in a try whose answer was lost.
            guard let there = try await self.client.record(key, limit: Claim.maxBytes), there.body == body else {
                return nil
            }
            return there.tag
        }
    }

    /// Waits until nobody is about to give the name to an upload in parts. What an owner that is gone was about to do is
    /// done, where he had come so far that it cannot be stopped for certain.
    ///
    /// - Returns: the claim that is there then, which is not open; nil where there was never one.
    /// - Throws: `.busy` where that takes too long; ``S3Error``.
    @discardableResult
    func settle(_ path: RelativePath) async throws -> Found? {
        let end = ContinuousClock.now + Self.patience
        while true {
            guard let found = try await self.claim(of: path) else { return nil }
            guard let claim = found.claim, claim.isOpen else { return found }
            let isLeft = claim.state == .left || .seconds(found.age) > self.store.options.claimLimit
            switch claim.state {
            case _ where !isLeft: break
            case .wanted: _ = try await self.write(claim.with(.void), of: path, .matches(found.tag))
            default: try await self.finish(claim, found.tag, of: path)
            }
            guard .now < end else {
                throw FxferError(.busy, "another upload is about to get the name '\(path)'; try again later")
            }
            try await Task.sleep(for: .milliseconds(isLeft ? 50 : 200))
        }
    }

    /// Makes sure that the owner of an upload, whose record was taken over, does not get the name for it: he is stopped where
    /// he has not looked yet; else what he is about to do is waited for, or done.
    ///
    /// - Returns: whether the upload was completed.
    /// - Throws: `.busy` where that takes too long; ``S3Error``.
    func stop(_ upload: String, of path: RelativePath) async throws -> Bool {
        while let found = try await self.claim(of: path), let claim = found.claim, claim.upload == upload {
            switch claim.state {
            case .wanted:
                if try await self.write(claim.with(.void), of: path, .matches(found.tag)) != nil { return false }
            case .active, .left: try await self.settle(path)
            case .done: return true
            case .void: return false
            }
        }
        return false
    }

    /// Completes the upload of an owner that is gone, as his own request to do so may be carried out at any time; where it
    /// cannot be completed any more, the claim is void.
    private func finish(_ claim: Claim, _ tag: String, of path: RelativePath) async throws {
        let key = self.store.names.key(of: path.bytes)
        if try await self.hasObject(claim, at: path) {
            _ = try await self.write(claim.with(.done), of: path, .matches(tag))
            return
        }
        guard let parts = try await self.client.parts(of: claim.upload, key) else {
            // Nobody can complete it any more. Did somebody just now?
            let state: Claim.State = try await self.hasObject(claim, at: path) ? .done : .void
            _ = try await self.write(claim.with(state), of: path, .matches(tag))
            return
        }
        if UploadRecord.digest(of: parts) == claim.parts {
            do {
                let isNew = self.store.options.conflict != .replace
                try await self.client.completeUpload(claim.upload, key, parts, isNew: isNew)
                return
            } catch let error as S3Error {
                // What has become of it is seen in the next round.
                if error.isWithoutUpload { return }
                if try await self.hasObject(claim, at: path) { return }
                guard error.refusesCompletion else { throw error }
            }
        }
        // The store refuses that, and will refuse it to its owner.
        if try await self.write(claim.with(.void), of: path, .matches(tag)) != nil {
            try await self.client.abortUpload(claim.upload, key)
        }
    }

    /// Whether the object of that name is the claim's.
    func hasObject(_ claim: Claim, at path: RelativePath) async throws -> Bool {
        let object = try await self.store.look(at: path)
        return object?.metadata?.id == claim.id && object?.size == claim.content.size
    }
}
