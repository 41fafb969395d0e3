import FxferProtocol
import NIOCore
import Synchronization

/// A file on its way into a ``LimitedStore``.
package final class LimitedFile<Base: MeasuredStore>: StagedFile {
    private let base: Base.Staged
    private let path: RelativePath
    /// What was announced; nil where that is not known.
    private let size: UInt64?
    private let entry: EntrySpace
    private let limits: StorageLimits
    /// Its part of the store's space, and who gives more of it: nil for a file in memory, which has all.
    private let claim: (own: SpaceClaim, space: StoreSpace<Base>?)?
    private let knownFolders: KnownFolders
    private let progress: Mutex<Progress>

    private struct Progress {
        var kept: UInt64
        var isPublishing = false
    }

    init(
        _ base: Base.Staged,
        _ path: RelativePath,
        _ size: UInt64?,
        _ entry: EntrySpace,
        _ limits: StorageLimits,
        _ claim: (SpaceClaim, StoreSpace<Base>?)?,
        _ knownFolders: KnownFolders
    ) {
        self.base = base
        self.path = path
        self.size = size
        self.entry = entry
        self.knownFolders = knownFolders
        self.limits = limits
        self.claim = claim
        self.progress = Mutex(Progress(kept: base.position))
    }

    package var position: UInt64 { self.base.position }
    package var newFolder: RelativePath? { self.base.newFolder }
    package var mayLeavePartial: Bool { self.base.mayLeavePartial }

    package func runningDigest() -> Digest { self.base.runningDigest() }

    /// Makes sure that the file may have `size` bytes.
    ///
    /// - Throws: `.tooLarge`, `.noSpace`, `.io`; `CancellationError`.
    func makeRoom(for size: UInt64) async throws {
        try self.limits.checkSize(size, self.path)
        guard let (claim, space) = self.claim, let space else { return }
        try await space.grow(claim, to: self.entry.total(size), self.path)
    }

    package func appendInMemory(_ bytes: ByteBuffer) -> Bool {
        // What is in memory has an announced size, which was judged then.
        self.base.appendInMemory(bytes)
    }

    package func append(_ pieces: [ByteBuffer]) async throws {
        let count = pieces.reduce(0) { $0 + $1.readableBytes }
        let (end, overflow) = self.base.position.addingReportingOverflow(UInt64(count))
        try await self.makeRoom(for: overflow ? .max : max(end, self.size ?? 0))
        try await self.base.append(pieces)
        self.noteProgress()
    }

    package func fill(upTo offset: UInt64) async throws {
        try await self.makeRoom(for: max(offset, self.size ?? 0))
        try await self.base.fill(upTo: offset)
        self.noteProgress()
    }

    package func keep() {
        self.base.keep()
        self.noteProgress(kept: self.base.position)
    }

    package func rewind() {
        self.base.rewind()
        self.noteProgress()
    }

    package func restart() {
        self.base.restart()
        self.noteProgress(kept: 0)
    }

    private func noteProgress(kept: UInt64? = nil) {
        // What is in memory is not on the disk yet.
        guard let (claim, space) = self.claim, space != nil else { return }
        let kept = self.progress.withLock { progress in
            if let kept { progress.kept = kept }
            return progress.kept
        }
        claim.note(position: self.base.position, kept: kept)
    }

    package func publish(
        from origin: Origin,
        _ completion: @escaping @Sendable (Result<Publication, FxferError>) -> Void
    ) {
        guard let claim = self.claim?.own else { return self.base.publish(from: origin, completion) }
        self.progress.withLock { $0.isPublishing = true }
        let space = self.entry.total(self.base.position)
        let (folders, path) = (self.knownFolders, self.path)
        self.base.publish(from: origin) { result in
            let outcome = try? result.get().outcome
            // What is repaired takes the place of a file of its size.
            let isMore = outcome == .stored || outcome == .replaced
            claim.settle(leaving: isMore ? space : 0)
            if isMore { folders.addFolder(of: path) }
            completion(result)
        }
    }

    package func discard(keepingPartial: Bool) async {
        let isKept = keepingPartial && self.base.mayLeavePartial
        await self.base.discard(keepingPartial: keepingPartial)
        let (kept, isPublishing) = self.progress.withLock { ($0.kept, $0.isPublishing) }
        if !isPublishing { self.claim?.own.settle(leaving: isKept ? kept : 0) }
    }
}
