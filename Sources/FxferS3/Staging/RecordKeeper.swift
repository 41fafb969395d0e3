import FxferProtocol
import NIOCore
import Synchronization

/// The record of an upload in parts, and its copy in the bucket: written one time after the other, always over what this one
/// has written before, so that whoever writes it in between has taken the upload over.
final class RecordKeeper: Sendable {
    private struct State {
        var record: UploadRecord
        /// Of the copy in the bucket; nil where there is none yet.
        var tag: String?
        /// The last of those that write, each of which waits for the one before.
        var last: Task<Void, any Error>?
        /// Whether one waits that will write what there is then.
        var isWaiting = false
        var lastWrite = ContinuousClock.now
        var isTakenOver = false
        /// Whether nothing was there when it was to be written.
        var isGone = false
        var isEnding = false
    }

    private let client: S3Client
    private let key: [UInt8]
    private let path: RelativePath
    private let state: Mutex<State>

    /// - Parameter tag: where it is written down already.
    init(_ client: S3Client, _ record: UploadRecord, at key: [UInt8], tag: String?) {
        self.client = client
        self.key = key
        self.path = record.path
        self.state = Mutex(State(record: record, tag: tag))
    }

    var record: UploadRecord { self.state.withLock { $0.record } }

    /// That somebody else has it by now, and what is left is his; nil as long as nobody has.
    var failure: FxferError? { self.state.withLock { $0.isTakenOver } ? self.takenOver(nil) : nil }

    /// Changes it, but not its copy.
    func update(_ change: (inout UploadRecord) -> Void) {
        self.state.withLock { change(&$0.record) }
    }

    /// Whether it was not written for that long.
    func isOlder(than age: Duration) -> Bool { self.state.withLock { .now - $0.lastWrite > age } }

    /// Writes it some time soon, with what it is then.
    func writeSoon() {
        self.state.withLock { state in
            guard !state.isWaiting, !state.isEnding, !state.isTakenOver else { return }
            state.isWaiting = true
            self.enqueue(&state)
        }
    }

    /// Writes it now.
    ///
    /// - Throws: `.busy` where somebody else has taken it over; ``S3Error``.
    func write() async throws {
        try await self.state.withLock { self.enqueue(&$0) }.value
    }

    /// The same for the last time but those that are waited for.
    func end() async throws {
        self.state.withLock { $0.isEnding = true }
        try await self.write()
    }

    @discardableResult
    private func enqueue(_ state: inout State) -> Task<Void, any Error> {
        let before = state.last
        let task = Task {
            _ = await before?.result
            try await self.put()
        }
        state.last = task
        return task
    }

    private func put() async throws {
        let (record, tag, isTakenOver) = self.state.withLock { state in
            state.isWaiting = false
            state.lastWrite = .now
            state.record.serial &+= 1
            return (state.record, state.tag, state.isTakenOver)
        }
        guard !isTakenOver else { throw self.takenOver(nil) }
        let body = record.encoded
        do {
            let new = try await self.client.put(self.key, body, tag.map { .matches($0) } ?? .absent)
            self.state.withLock { $0.tag = new }
        } catch let error as S3Error where error.isPreconditionFailed {
            // Perhaps by this one itself, in a try whose answer was lost.
            let there = try await self.client.record(self.key, limit: UploadRecord.maxBytes)
            guard let there, let new = there.tag, UploadRecord(there.body)?.owner == record.owner else {
                self.state.withLock { state in
                    state.isTakenOver = true
                    state.isGone = there == nil
                }
                throw self.takenOver(error)
            }
            self.state.withLock { $0.tag = new }
            guard there.body != body else { return }
            let newest = try await self.client.put(self.key, body, .matches(new))
            self.state.withLock { $0.tag = newest }
        }
    }

    private func takenOver(_ cause: (any Error)?) -> FxferError {
        FxferError(.busy, "receiving '\(self.path)' was taken over by a newer connection", cause: cause)
    }

    /// Removes its copy, once nobody can take it over just now: as it was just written. False where somebody has, or that
    /// could not be found out.
    ///
    /// - Parameter body: called before, also where the copy is gone; false where the copy has to stay.
    func remove(butBefore body: () async -> Bool = { true }) async -> Bool {
        self.state.withLock { $0.isEnding = true }
        let last = self.state.withLock { $0.last }
        _ = await last?.result
        let isWritten = self.state.withLock { $0.tag != nil }
        if isWritten, (try? await self.write()) == nil, !self.state.withLock({ $0.isGone }) { return false }
        guard await body() else { return false }
        if isWritten, !self.state.withLock({ $0.isGone }) { try? await self.client.delete(self.key) }
        return true
    }
}
