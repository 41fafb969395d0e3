import FxferProtocol
import FxferStorage
import NIOCore

/// The way of a single file over the connection.
extension UploadConnection {
    /// How many chunks may wait in memory for the socket: one is written while the next is read.
    private static let maxChunksInMemory = 2

    /// A file that is offered to the server.
    struct OpenUpload {
        let upload: Upload
        let file: FileID
        let source: SourceFile
    }

    /// How far a file is to be brought.
    enum Milestone {
        /// Everything is sent; the receipt is not in.
        case sent
        case ended
    }

    /// Opens the source and offers it; nil where that failed, which is reported.
    func open(_ upload: Upload) async -> OpenUpload? {
        do {
            let source = try await self.working { try await SourceFile.open(path: upload.source) }
            guard self.failure == nil, let offer = self.sender?.offer(upload.destination, source.attributes) else {
                throw self.failure ?? Self.notGreeted
            }
            self.report(.started(upload, size: source.attributes.size ?? 0))
            self.wire.write(.offer(offer))
            return OpenUpload(upload: upload, file: offer.file, source: source)
        } catch {
            self.report(.ended(upload, .failure(FxferError(wrapping: error))))
            return nil
        }
    }

    /// Carries out what the machine asks for until the file has come that far; false where it has ended, which is
    /// reported then.
    func advance(_ open: OpenUpload, to milestone: Milestone) async -> Bool {
        do {
            // What the server has judged stands, also where the connection failed right behind it.
            while let step = self.sender?.nextStep(of: open.file) {
                switch step {
                case .done(let receipt):
                    self.end(open, receipt)
                    return false
                case .refused(let error):
                    throw error
                case _ where self.failure != nil:
                    throw self.failure ?? Self.notGreeted
                case .awaitReceipt where milestone == .sent:
                    return true
                case .wait, .awaitReceipt:
                    self.wire.flush()
                    await self.waitForAnswer(open.file)
                    self.noteConfirmed(open)
                case .hashPrefix(let length):
                    let digest = try await self.working { try await open.source.hashPrefix(length) }
                    self.sender?.prefixHashed(open.file, digest)
                    self.noteConfirmed(open)
                case .restart:
                    open.source.restart()
                case .rewind(let offset):
                    try open.source.rewind(to: offset)
                case .read(let offset, let count):
                    try await self.sendChunk(open, at: offset, count)
                case .finish:
                    try await self.finish(open)
                }
            }
            throw Self.notGreeted
        } catch {
            self.end(open, FxferError(wrapping: error))
            return false
        }
    }

    private func sendChunk(_ open: OpenUpload, at offset: UInt64, _ count: Int) async throws {
        let read = try await self.working { try await open.source.read(at: offset, count: count) }
        let prefix = FilePrefix(length: offset + UInt64(read.bytes.readableBytes), digest: read.digest)
        guard self.failure == nil, let chunk = self.sender?.chunkRead(open.file, at: offset, prefix) else { return }
        self.writes.append(self.wire.write(chunk, read.bytes, read.digest))
        if self.writes.count > Self.maxChunksInMemory {
            self.wire.flush()
            // A write that fails closes the channel; the one who reads the answers finds out why.
            try? await self.writes.removeFirst().get()
        }
        self.noteConfirmed(open)
    }

    private func finish(_ open: OpenUpload) async throws {
        try await self.working { try await open.source.checkUnchanged() }
        guard self.failure == nil, let finish = self.sender?.finish(open.file) else { return }
        self.wire.write(.finish(finish))
        self.wire.flush()
        open.source.releaseBuffers()
    }

    private func noteConfirmed(_ open: OpenUpload) {
        guard let confirmed = self.sender?.confirmed(open.file), confirmed > 0 else { return }
        open.source.confirm(confirmed)
        self.report(.progress(open.upload, verified: confirmed))
    }

    private func end(_ open: OpenUpload, _ receipt: Receipt) {
        let result = UploadReceipt(
            path: open.upload.destination,
            size: receipt.content.length,
            digest: receipt.content.digest,
            wasThere: receipt.outcome == .identical,
            repairs: self.sender?.rewinds(open.file) ?? 0
        )
        self.sender?.close(open.file)
        self.wakeTurn()
        self.report(.ended(open.upload, .success(result)))
    }

    private func end(_ open: OpenUpload, _ error: FxferError) {
        if self.failure == nil, let cancel = self.sender?.cancel(open.file, error) {
            self.wire.write(cancel)
            self.wire.flush()
        }
        self.wakeTurn()
        self.report(.ended(open.upload, .failure(error)))
    }

    private static var notGreeted: FxferError {
        FxferError(.internal, "a file was to be sent before the greeting")
    }

    /// Runs file work during which the server has to wait for this side.
    private func working<Result: Sendable>(_ body: () async throws -> Result) async rethrows -> Result {
        self.work += 1
        defer { self.work -= 1 }
        return try await body()
    }
}
