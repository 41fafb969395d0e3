import FxferProtocol
import FxferStorage
import NIOCore
import Synchronization

/// Where a file is to be stored and what it shall look like there.
struct ObjectTarget: Sendable {
    /// As it was offered.
    let path: RelativePath
    /// As it is to be stored: another one only where both are to be kept.
    var stored: RelativePath
    let attributes: FileAttributes
    let level: Durability

    var isFolder: Bool { self.attributes.isFolder }
}

/// A file on its way into an ``ObjectStore``. Its bytes are in memory until they fill a part; parts go up while more
/// comes.
///
/// A part is closed only where what it has is verified, so that the store never has what would have to be taken back.
package final class StagedObject: StagedFile {
    private let store: ObjectStore
    let target: ObjectTarget
    /// Whether its size is bounded and its memory is taken already.
    private let isInMemory: Bool
    private let content: Mutex<StagedBytes>
    private let upload: Mutex<MultipartUpload?>
    private let isRevoked = Atomic(false)
    private let hasEnded = Atomic(false)

    init(
        _ store: ObjectStore,
        _ target: ObjectTarget,
        _ content: consuming StagedBytes = StagedBytes(),
        isInMemory: Bool = false,
        upload: MultipartUpload? = nil
    ) {
        self.store = store
        self.target = target
        self.isInMemory = isInMemory
        self.content = Mutex(content)
        self.upload = Mutex(upload)
        store.countStaged(1)
    }

    deinit {
        guard self.end() else { return }
        if let upload = self.upload.withLock({ $0 }) {
            Task { await upload.remove() }
        }
    }

    /// False where it has ended before.
    private func end() -> Bool {
        guard !self.hasEnded.exchange(true, ordering: .relaxed) else { return false }
        self.store.countStaged(-1)
        return true
    }

    package var position: UInt64 { self.content.withLock { $0.position } }

    package var mayLeavePartial: Bool { self.upload.withLock { $0?.isResumable ?? false } }

    package func runningDigest() -> Digest { self.content.withLock { $0.hash.digest() } }

    package func appendInMemory(_ bytes: ByteBuffer) -> Bool {
        guard self.isInMemory else { return false }
        let limit = self.target.attributes.size ?? 0
        return self.content.withLock { content in
            guard content.isOpen, content.position + UInt64(bytes.readableBytes) <= limit else { return false }
            return content.append([bytes])
        }
    }

    package func append(_ pieces: [ByteBuffer]) async throws {
        let count = pieces.reduce(0) { $0 + $1.readableBytes }
        if self.isInMemory {
            guard pieces.allSatisfy(self.appendInMemory) else { throw self.reason() }
            return
        }
        let upload = self.upload.withLock { $0 }
        if let failure = upload?.failure { throw failure }
        let (isOpen, needsMemory, parts) = self.content.withLock { ($0.isOpen, $0.share == nil, $0.parts) }
        guard isOpen else { throw self.reason() }
        guard parts < S3Client.maxParts else { throw self.store.isTooLarge(self.target.path) }
        if needsMemory {
            let size = self.target.attributes.size
            let rest = size.map { $0 - min($0, self.position) }
            let bytes = max(count, self.store.memoryOfPart(size, number: parts + 1, rest: rest))
            let share = try await self.store.memory.take(bytes, isFurther: parts > 0 && upload?.isSending ?? false)
            self.content.withLock { if $0.isOpen { $0.share = share } }
            share.beginFilling { [weak self] in self?.revoke() }
        }
        guard try await DiskPool.shared.run({ self.content.withLock { $0.append(pieces) } }) else {
            throw self.reason()
        }
        upload?.touch()
    }

    /// Others wait for the memory of a part that this one's sender does not fill: what is there is left for a later try.
    func revoke() {
        self.isRevoked.store(true, ordering: .relaxed)
        Task { await self.discard(keepingPartial: true) }
    }

    /// Why nothing can be appended.
    private func reason() -> FxferError {
        let path = self.target.path
        guard !self.isRevoked.load(ordering: .relaxed) else {
            return FxferError(
                .busy,
                "'\(path)' comes in too slowly while many others want to be received; try again later"
            )
        }
        guard self.content.withLock({ $0.isOpen }) else {
            return FxferError(.internal, "'\(path)' was given up or published already")
        }
        return FxferError(.tooLarge, "cannot store '\(path)': it is longer than was announced")
    }

    package func keep() {
        let part = self.content.withLock { content -> ClosedPart? in
            content.keep()
            let size = self.store.partSize(self.target.attributes.size, number: content.parts + 1)
            // The last part waits for the end, and so does what is no more than one.
            guard content.buffer.readableBytes >= size, content.position != self.target.attributes.size else {
                return nil
            }
            return content.closePart()
        }
        if let part { self.openUpload().send(part) }
    }

    /// The upload, which a file has that others cannot go on with when it needs one.
    private func openUpload() -> MultipartUpload {
        self.upload.withLock { upload in
            if let upload { return upload }
            let new = self.store.makeUpload(self.target)
            upload = new
            return new
        }
    }

    package func rewind() {
        self.content.withLock { $0.rewind() }
    }

    package func restart() {
        self.content.withLock { $0.restart(keepingShare: self.isInMemory) }
        self.upload.withLock { $0 }?.restart()
    }

    package func publish(
        from origin: Origin,
        _ completion: @escaping @Sendable (Result<Publication, FxferError>) -> Void
    ) {
        let finished = self.content.withLock { $0.finish() }
        guard let finished else {
            return completion(.failure(self.reason()))
        }
        let upload = self.upload.withLock { $0 }
        // A task of its own, which nobody cancels: what has begun is seen through, and told.
        Task {
            let result: Result<Publication, FxferError>
            do {
                let publishing = Publishing(self.store, self.target, finished, upload, origin)
                result = .success(try await publishing.run())
            } catch {
                result = .failure(FxferError(wrapping: error))
            }
            _ = self.end()
            completion(result)
        }
    }

    package func discard(keepingPartial: Bool) async {
        guard let tail = self.content.withLock({ $0.giveUp() }) else { return }
        if let upload = self.upload.withLock({ $0 }) {
            // Even in a cancelled task.
            let work = Task {
                if keepingPartial, upload.isResumable, tail.kept > 0, tail.kept <= self.store.options.maxPartialBytes,
                    (try? await upload.leave(tail.bytes, at: tail.kept - UInt64(tail.bytes.readableBytes))) != nil
                {
                    return
                }
                await upload.remove()
            }
            await work.value
        }
        _ = self.end()
    }
}
