import FxferProtocol
import FxferStorage
import NIOCore
import Synchronization

/// A part that is complete and verified, and on its way to the store.
struct ClosedPart: Sendable {
    let number: Int
    let bytes: ByteBuffer
    /// Where the running digest is behind it.
    let end: HashCheckpoint
    /// Given back when the store has it.
    let share: PartMemory.Share?
}

/// The upload in parts of one file: parts go up side by side while others arrive, and how far it has come is written
/// down, so that another node can go on.
///
/// Calls but for the asynchronous ones never wait.
final class MultipartUpload: Sendable {
    private struct State {
        /// Another one after each new beginning: what comes in of an older one is of no interest.
        var generation = 0
        var creation: Task<String, any Error>?
        var done: [Int: StoredPart] = [:]
        var ends: [Int: HashCheckpoint] = [:]
        var tasks: [Int: Task<Void, Never>] = [:]
        var lastTask = 0
        var failure: FxferError?
        /// Whether somebody else has it by now: what is left is his.
        var isTakenOver = false
        var record: UploadRecord
        var tag: String?
        /// Tails that an earlier try has left.
        var tails: [String] = []
        var writing: Task<Void, Never>?
        var isWriteDue = false
        var lastWrite = ContinuousClock.now
        /// Nothing is written down any more but by who ends it.
        var isEnding = false
    }

    let key: [UInt8]
    private let recordKey: [UInt8]
    private let store: ObjectStore
    private let attributes: ObjectMetadata
    private let path: RelativePath
    private let state: Mutex<State>

    private var client: S3Client { self.store.client }

    /// - Parameters:
    ///   - record: as it is written down, with its `tag`; not yet where that is nil.
    ///   - parts: what the store has already.
    init(
        _ store: ObjectStore,
        _ record: UploadRecord,
        at recordKey: [UInt8],
        tag: String? = nil,
        parts: [StoredPart] = [],
        attributes: ObjectMetadata
    ) {
        self.store = store
        self.recordKey = recordKey
        self.key = store.names.key(of: record.target.bytes)
        self.path = record.path
        self.attributes = attributes
        var state = State(record: record, tag: tag)
        for part in parts { state.done[part.number] = part }
        state.tails = record.tail.map { [$0.name] } ?? []
        if let id = record.upload { state.creation = Task { id } }
        self.state = Mutex(state)
    }

    /// Why no more can be taken; nil as long as that is not so.
    var failure: FxferError? { self.state.withLock { $0.failure } }

    /// Whether another node could go on.
    var isResumable: Bool { self.state.withLock { $0.record.size != nil } }

    /// Whether parts are on their way.
    var isSending: Bool { self.state.withLock { !$0.tasks.isEmpty } }

    /// What the object's metadata has.
    var id: String { self.state.withLock { $0.record.id } }

    // MARK: Parts

    /// Sends a part; see ``failure``.
    func send(_ part: ClosedPart) {
        self.state.withLock { state in
            let generation = state.generation
            state.lastTask += 1
            let number = state.lastTask
            state.tasks[number] = Task {
                await self.send(part, generation)
                self.state.withLock { _ = $0.tasks.removeValue(forKey: number) }
            }
        }
    }

    private func send(_ part: ClosedPart, _ generation: Int) async {
        do {
            let id = try await self.uploadID(generation)
            let stored = try await self.client.putPart(part.number, of: id, self.key, part.bytes)
            self.state.withLock { state in
                guard state.generation == generation else { return }
                state.done[part.number] = stored
                state.ends[part.number] = part.end
                state.record.advance(over: &state.ends, state.done)
            }
            self.writeDown()
        } catch {
            self.state.withLock { state in
                guard state.generation == generation, state.failure == nil else { return }
                state.failure = self.failure(error)
            }
        }
    }

    private func failure(_ error: any Error) -> FxferError {
        if let error = error as? S3Error {
            guard !error.isWithoutUpload else {
                return FxferError(.busy, "receiving '\(self.path)' was ended by another node; try again", cause: error)
            }
            return error.transfer("store", self.path)
        }
        return FxferError(wrapping: error)
    }

    /// The id of the upload, which is begun where it was not yet.
    private func uploadID(_ generation: Int) async throws -> String {
        let creation = try self.state.withLock { state in
            guard state.generation == generation else { throw CancellationError() }
            if let creation = state.creation { return creation }
            let metadata = self.attributes.with(id: state.record.id)
            let creation = Task {
                let id = try await self.client.beginUpload(self.key, headers: metadata.headers)
                try await self.store.begun.add(id, self.key)
                return id
            }
            state.creation = creation
            return creation
        }
        let id = try await creation.value
        self.state.withLock { if $0.generation == generation { $0.record.upload = id } }
        return id
    }

    /// Returns when no part is on its way.
    private func settle() async {
        while let task = self.state.withLock({ $0.tasks.values.first }) { await task.value }
    }

    // MARK: How far it has come

    /// Data still comes in: who asks later shall know.
    func touch() {
        let isDue = self.state.withLock { $0.tag != nil && .now - $0.lastWrite > self.store.options.takeOverAfter / 3 }
        if isDue { self.writeDown() }
    }

    /// Writes down how far it has come, some time soon.
    private func writeDown() {
        self.state.withLock { state in
            guard !state.isEnding, state.failure == nil else { return }
            guard state.writing == nil else {
                state.isWriteDue = true
                return
            }
            state.isWriteDue = false
            state.lastWrite = .now
            state.writing = Task {
                try? await self.write()
                let isDue = self.state.withLock { state in
                    state.writing = nil
                    return state.isWriteDue
                }
                if isDue { self.writeDown() }
            }
        }
    }

    /// Writes the record, where nobody else has written it since.
    ///
    /// - Throws: `.busy` where somebody has, which is then the failure of all; ``S3Error``.
    private func write() async throws {
        let (record, tag) = self.state.withLock { ($0.record, $0.tag) }
        let body = record.encoded
        do {
            let condition = tag.map { WriteCondition.matches($0) } ?? .absent
            let new = try await self.client.put(self.recordKey, body, condition)
            self.state.withLock { $0.tag = new }
        } catch let error as S3Error where error.isPreconditionFailed {
            // Perhaps by this one itself, in a try whose answer was lost.
            let there = try await self.client.get(self.recordKey, limit: UploadRecord.maxBytes)
            if let there, let new = there.tag, UploadRecord(there.body)?.owner == record.owner {
                self.state.withLock { $0.tag = new }
                guard there.body != body else { return }
                try await self.client.put(self.recordKey, body, .matches(new))
                return
            }
            let taken = FxferError(.busy, "receiving '\(self.path)' was taken over by a newer connection", cause: error)
            self.state.withLock { state in
                state.isTakenOver = true
                if state.failure == nil { state.failure = taken }
            }
            throw taken
        }
    }

    // MARK: The end

    /// Nothing is written down beside what follows.
    private func beginEnd() async {
        self.state.withLock { $0.isEnding = true }
        if let writing = self.state.withLock({ $0.writing }) { await writing.value }
    }

    /// Sends the last part and waits for all; answers the upload's id and parts.
    ///
    /// - Throws: ``failure``.
    func finish(_ last: ClosedPart?) async throws -> (id: String, parts: [StoredPart]) {
        if let last { self.send(last) }
        await self.settle()
        await self.beginEnd()
        if let failure = self.failure { throw failure }
        let (parts, upload) = self.state.withLock { state in
            (state.done.values.sorted { $0.number < $1.number }, state.record.upload)
        }
        guard let upload, parts.map(\.number) == Array(1...max(parts.count, 1)) else {
            throw FxferError(.internal, "parts of '\(self.path)' are missing")
        }
        return (upload, parts)
    }

    /// Lets go of it, so that another connection or node can go on; what is behind the parts is stored beside them.
    ///
    /// - Parameters:
    ///   - tail: verified bytes of the file.
    ///   - start: where they begin. They are of use only where that is the end of the last part.
    /// - Throws: where that could not be written down, and nothing was left.
    func leave(_ tail: ByteBuffer, at start: UInt64) async throws {
        await self.settle()
        await self.beginEnd()
        let hasPlace = self.state.withLock { $0.failure == nil && $0.record.parts.position == start }
        if hasPlace, tail.readableBytes > 0 {
            let new = UploadRecord.Tail(
                name: RandomID.make(),
                size: UInt64(tail.readableBytes),
                digest: SHA256.digest(of: tail)
            )
            try await self.client.put(self.key(of: new), tail, digest: new.digest)
            self.state.withLock { $0.record.tail = new }
        }
        let left = self.state.withLock { state in
            state.record.isFree = true
            return state.record.tail
        }
        do {
            try await self.write()
        } catch {
            if let left, !self.state.withLock({ $0.tails.contains(left.name) }) {
                try? await self.client.delete(self.key(of: left))
            }
            throw error
        }
        let isFromBefore = self.state.withLock { state in left.map { state.tails.contains($0.name) } ?? false }
        if !isFromBefore { await self.removeTails() }
    }

    private func key(of tail: UploadRecord.Tail) -> [UInt8] {
        self.store.names.tails + Array(tail.name.utf8)
    }

    /// Lets go of it, and removes all of it. What cannot be removed now expires.
    func remove() async {
        let tasks = self.state.withLock { state in
            state.generation += 1
            return state.tasks.values
        }
        for task in tasks { task.cancel() }
        await self.settle()
        await self.beginEnd()
        guard await self.hold() else { return }
        await self.abort(self.state.withLock { $0.creation })
        await self.removeHeld()
    }

    /// Removes what was written down of it, as it was completed, unless somebody else has it by now.
    func removeRecord() async {
        if let upload = self.state.withLock({ $0.record.upload }) { await self.store.begun.remove(upload) }
        if await self.hold() { await self.removeHeld() }
    }

    /// Makes sure that nobody takes it over just now: false where somebody has, or that could not be found out.
    private func hold() async -> Bool {
        let (tag, isTakenOver) = self.state.withLock { ($0.tag, $0.isTakenOver) }
        guard !isTakenOver else { return false }
        return tag == nil ? true : (try? await self.write()) != nil
    }

    private func removeHeld() async {
        if self.state.withLock({ $0.tag }) != nil { try? await self.client.delete(self.recordKey) }
        await self.removeTails()
    }

    /// Removes tails that are of no use any more.
    private func removeTails() async {
        for name in self.state.withLock({ $0.tails }) {
            try? await self.client.delete(self.store.names.tails + Array(name.utf8))
        }
    }

    private func abort(_ creation: Task<String, any Error>?) async {
        guard let id = try? await creation?.value else { return }
        try? await self.store.begun.abort(id, self.key)
    }

    /// Forgets what was sent. Another upload is begun with the next part: of this one, some part might still come.
    func restart() {
        let (old, tasks) = self.state.withLock { state in
            state.generation += 1
            let old = state.creation
            let tasks = Array(state.tasks.values)
            state.creation = nil
            state.done = [:]
            state.ends = [:]
            state.record.upload = nil
            state.record.parts = .init()
            state.record.tail = nil
            state.record.id = RandomID.make()
            return (old, tasks)
        }
        for task in tasks { task.cancel() }
        if old != nil {
            Task {
                for task in tasks { await task.value }
                await self.abort(old)
            }
        }
    }
}

extension UploadRecord {
    /// Goes on over parts that the store has by now, as far as there is no gap.
    fileprivate mutating func advance(over ends: inout [Int: HashCheckpoint], _ done: [Int: StoredPart]) {
        let before = self.parts.count
        while let end = ends.removeValue(forKey: self.parts.count + 1) {
            self.parts.count += 1
            self.parts.position = end.position
            self.parts.hash = end.encoded
            // What was behind is in a part now.
            self.tail = nil
        }
        guard self.parts.count > before else { return }
        self.parts.list = Self.digest(of: (1...self.parts.count).compactMap { done[$0] })
    }
}

extension ObjectMetadata {
    fileprivate func with(id: String) -> ObjectMetadata {
        var copy = self
        copy.id = id
        return copy
    }
}
