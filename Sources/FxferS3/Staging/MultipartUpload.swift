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
    let share: TransferMemory.Share?
}

/// The upload in parts of one file: parts go up side by side while others arrive, and how far it has come is written
/// down, so that another node can go on.
///
/// Whatever has parts is named by a record in the bucket, from before the first part on until it is completed or given up.
/// Calls but for the asynchronous ones never wait.
final class MultipartUpload: Sendable {
    private struct State {
        /// Another one after each new beginning: what comes in of an older one is of no interest.
        var generation = 0
        var creation: Task<String, any Error>?
        /// Gives up the upload of the generation before.
        var abortion: Task<Void, any Error>?
        var done: [Int: StoredPart] = [:]
        var ends: [Int: HashCheckpoint] = [:]
        var tasks: [Int: Task<Void, Never>] = [:]
        var lastTask = 0
        var failure: FxferError?
        /// Tails that an earlier try has left.
        var tails: [String] = []
    }

    private let key: [UInt8]
    private let store: ObjectStore
    private let attributes: ObjectMetadata
    private let path: RelativePath
    private let keeper: RecordKeeper
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
        self.key = store.names.key(of: record.target.bytes)
        self.path = record.path
        self.attributes = attributes
        self.keeper = RecordKeeper(store.client, record, at: recordKey, tag: tag)
        var state = State()
        for part in parts { state.done[part.number] = part }
        state.tails = record.tail.map { [$0.name] } ?? []
        if let id = record.upload { state.creation = Task { id } }
        self.state = Mutex(state)
    }

    /// Why no more can be taken; nil as long as that is not so.
    var failure: FxferError? { self.state.withLock { $0.failure } ?? self.keeper.failure }

    /// Whether another node could go on.
    var isResumable: Bool { self.keeper.record.size != nil }

    /// Whether parts are on their way.
    var isSending: Bool { self.state.withLock { !$0.tasks.isEmpty } }

    /// What the object's metadata has.
    var id: String { self.keeper.record.id }

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
                self.keeper.update { $0.advance(over: &state.ends, state.done) }
            }
            self.keeper.writeSoon()
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

    /// The id of the upload, which is begun and written down where it was not yet.
    private func uploadID(_ generation: Int) async throws -> String {
        let creation = try self.state.withLock { state in
            guard state.generation == generation else { throw CancellationError() }
            if let creation = state.creation { return creation }
            let metadata = self.attributes.with(id: self.keeper.record.id)
            let creation = Task { [abortion = state.abortion] in
                // The record names one upload at a time.
                try await abortion?.value
                let id = try await self.client.beginUpload(self.key, headers: metadata.headers)
                self.keeper.update { record in
                    record.upload = id
                    record.isDoomed = false
                }
                do {
                    try await self.keeper.write()
                } catch {
                    // Nobody knows of it.
                    if self.keeper.failure != nil { try? await self.client.abortUpload(id, self.key) }
                    throw error
                }
                return id
            }
            state.creation = creation
            return creation
        }
        return try await creation.value
    }

    /// Returns when no part is on its way.
    private func settle() async {
        while let task = self.state.withLock({ $0.tasks.values.first }) { await task.value }
    }

    /// Data still comes in, or is waited for: who asks later shall know.
    func touch() {
        if self.keeper.isOlder(than: self.store.options.takeOverAfter / 3) { self.keeper.writeSoon() }
    }

    // MARK: The end

    /// Sends the last part and waits for all; answers the upload's id and parts.
    ///
    /// - Throws: ``failure``.
    func finish(_ last: ClosedPart?) async throws -> (id: String, parts: [StoredPart]) {
        if let last { self.send(last) }
        await self.settle()
        if let failure = self.failure { throw failure }
        let (parts, upload) = (
            self.state.withLock { $0.done }.values.sorted { $0.number < $1.number }, self.keeper.record.upload
        )
        guard let upload, parts.map(\.number) == Array(1...max(parts.count, 1)) else {
            throw FxferError(.internal, "parts of '\(self.path)' are missing")
        }
        return (upload, parts)
    }

    /// Makes sure that nobody has taken the upload over: whoever does so later looks at the claim of its name.
    ///
    /// - Throws: `.busy` where somebody has; ``S3Error``.
    func fence() async throws {
        try await self.keeper.end()
    }

    /// Lets go of it, so that another connection or node can go on; what is behind the parts is stored beside them.
    ///
    /// - Parameters:
    ///   - tail: verified bytes of the file.
    ///   - start: where they begin. They are of use only where that is the end of the last part.
    /// - Throws: where that could not be written down, and nothing was left.
    func leave(_ tail: ByteBuffer, at start: UInt64) async throws {
        await self.settle()
        let hasPlace = self.failure == nil && self.keeper.record.parts.position == start
        if hasPlace, tail.readableBytes > 0 {
            let new = UploadRecord.Tail(
                name: RandomID.make(),
                size: UInt64(tail.readableBytes),
                digest: SHA256.digest(of: tail)
            )
            try await self.client.put(self.key(of: new), tail, digest: new.digest)
            self.keeper.update { $0.tail = new }
        }
        self.keeper.update { $0.isFree = true }
        let left = self.keeper.record.tail
        let isFromBefore = self.state.withLock { state in left.map { state.tails.contains($0.name) } ?? false }
        do {
            try await self.keeper.end()
        } catch {
            if let left, !isFromBefore { try? await self.client.delete(self.key(of: left)) }
            throw error
        }
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
        // Nobody is to go on with what is being given up, however long that takes.
        self.keeper.update { $0.isDoomed = true }
        let isRemoved = await self.keeper.remove {
            let (creation, abortion) = self.state.withLock { ($0.creation, $0.abortion) }
            _ = await abortion?.result
            _ = await creation?.result
            return (try? await self.abort()) != nil
        }
        if isRemoved { await self.removeTails() }
    }

    /// Gives up what the record names.
    private func abort() async throws {
        if let id = self.keeper.record.upload { try await self.client.abortUpload(id, self.key) }
    }

    /// Removes what was written down of it, as it was completed, unless somebody else has it by now.
    func removeRecord() async {
        if await self.keeper.remove() { await self.removeTails() }
    }

    /// Removes tails that are of no use any more.
    private func removeTails() async {
        for name in self.state.withLock({ $0.tails }) {
            try? await self.client.delete(self.store.names.tails + Array(name.utf8))
        }
    }

    /// Forgets what was sent. Another upload is begun with the next part: of this one, some part might still come.
    func restart() {
        self.state.withLock { state in
            state.generation += 1
            let tasks = Array(state.tasks.values)
            for task in tasks { task.cancel() }
            if let old = state.creation {
                state.abortion = Task {
                    for task in tasks { await task.value }
                    _ = await old.result
                    self.keeper.update { $0.isDoomed = true }
                    try await self.keeper.write()
                    try await self.abort()
                }
            }
            state.creation = nil
            state.done = [:]
            state.ends = [:]
            self.keeper.update { record in
                record.parts = .init()
                record.tail = nil
                record.id = RandomID.make()
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
