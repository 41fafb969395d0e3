import FxferNetwork
import FxferProtocol
import FxferStorage
import FxferTrust
import NIOCore

/// One connection to a server over which files are sent.
///
/// It runs on the connection's event loop; files are read and hashed on the disk threads. Files are sent one after the
/// other, but the next does not wait for the receipt of the last: as many as the server allows may wait at once.
actor UploadConnection: ClientConnection, FileSending {
    /// How many files this side keeps open at once, whatever the server allows. Only the larger ones hold a descriptor.
    private static let maxFilesInFlight: UInt16 = 256

    let wire: WireChannel
    let limiter: RateLimiter?
    var client: ClientState
    var sending = SendingState<PendingUpload>()
    var work = 0
    /// Whether the server acknowledged anything.
    private(set) var hasProgress = false
    private let comparison: Comparison
    let wantsReceipts: Bool
    private let level: Durability
    /// The key that has to have signed the receipts of files; nil where they need not be signed.
    var receiptKey: PublicKey?
    /// Where the first files that ask will tell whether anything beneath their folder has to be asked for.
    private var newFolders = NewFolders()
    private let furthest: FurthestProgress
    private let report: @Sendable (TransferEvent) -> Void
    /// Uploads that did not end because the connection did, or because the server is busy with the same name.
    private var left: [PendingUpload] = []
    private var busy: FxferError?

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        self.wire.executor.asUnownedSerialExecutor()
    }

    init(
        _ wire: WireChannel,
        _ client: ClientState,
        _ options: UploadOptions,
        _ furthest: FurthestProgress,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) {
        self.wire = wire
        self.client = client
        self.limiter = options.limiter
        self.furthest = furthest
        self.report = report
        self.wantsReceipts = options.wantsReceipts
        self.level = options.level
        self.comparison =
            switch options.comparison {
            case nil: .afterwards
            case .digest: .byDigest
            case .quick: .bySizeAndTime
            }
    }

    /// Sends files until the queue is empty or the connection fails. What did not end goes back into the queue.
    ///
    /// - Returns: why there is something left, where there is.
    func run(_ queue: UploadQueue) async -> FxferError? {
        let failure = await self.converse { await self.sendAll(of: queue) }
        await queue.putBack(self.left)
        return failure ?? self.busy
    }

    private func sendAll(of queue: UploadQueue) async {
        await withDiscardingTaskGroup { receipts in
            guard await self.waitForTurn() else { return }
            var next = await self.working { await queue.next() }
            while !next.isEmpty {
                // Read while the last ones are sent.
                let steps = next
                async let following = queue.next()
                for step in steps {
                    switch step {
                    case .upload(let upload):
                        await self.send(upload, &receipts)
                        if self.newFolders.isAskingFirst { await self.waitForLoaded() }
                    case .skipped(let file, let reason):
                        self.report(.skipped(file, reason: reason))
                    case .failed(let file, let error):
                        self.report(.ended(file, .failure(error)))
                    }
                }
                self.wire.flush()
                await self.wire.drain()
                self.work += 1
                next = await following
                self.work -= 1
                guard await self.waitForTurn() else {
                    await queue.putBack(next)
                    return
                }
            }
            await self.waitForLoaded()
        }
    }

    private func send(_ upload: PendingUpload, _ receipts: inout DiscardingTaskGroup) async {
        do throws(FxferError) {
            try upload.expected?.check(size: upload.content.attributes.size, upload.destination.description)
        } catch {
            return self.report(.ended(upload.file, .failure(error)))
        }
        guard await self.waitForTurn(), let open = self.offer(upload) else {
            if self.sending.failure != nil { self.left.append(upload) }
            return
        }
        guard case .waiting(let file) = open else { return }
        guard await self.advance(file, to: .sent) else { return }
        receipts.addTask { _ = await self.advance(file, to: .ended) }
    }

    private enum Offered {
        /// The answers bring it on.
        case loaded
        /// A task has to.
        case waiting(OutgoingFile<PendingUpload>)
    }

    /// Offers a file; nil where that is not possible any more.
    private func offer(_ upload: PendingUpload) -> Offered? {
        let attributes = upload.content.attributes
        // A folder is made or set right without a word about what is there; a stream cannot be compared.
        let isNew = attributes.isFolder || attributes.size == nil || self.newFolders.contain(upload.destination)
        // What is expected of the content is known from the content alone.
        let asked = upload.expected == nil || self.comparison == .afterwards ? self.comparison : .byDigest
        let comparison = isNew ? .afterwards : asked
        guard let offer = self.sending.sender?.offer(upload.destination, attributes, comparison) else { return nil }
        if comparison != .afterwards { self.newFolders.noteAsked() }
        if !upload.isRetry {
            self.report(.started(upload.file, size: attributes.size))
        }
        self.wire.write(.offer(offer))
        switch upload.content {
        case .loaded(let loaded) where self.limiter == nil:
            self.take(upload, loaded.bytes, loaded.digest, offer.file)
            return .loaded
        case .folder:
            self.take(upload, ByteBuffer(), .ofNothing, offer.file)
            return .loaded
        case .loaded(let loaded):
            return .waiting(self.outgoing(upload, offer.file, LoadedSource(loaded)))
        case .source(let source):
            return .waiting(self.outgoing(upload, offer.file, source))
        }
    }

    private func outgoing(
        _ upload: PendingUpload,
        _ file: FileID,
        _ source: any Source
    ) -> OutgoingFile<PendingUpload> {
        OutgoingFile(label: upload, file: file, source: source, expected: upload.expected)
    }

    private func take(_ upload: PendingUpload, _ bytes: ByteBuffer, _ digest: Digest, _ file: FileID) {
        let loaded = LoadedOutgoing(label: upload, bytes: bytes, digest: digest, expected: upload.expected)
        self.sending.loaded[file] = loaded
        self.advance(loaded, file)
    }
}

// MARK: - What the server says

extension UploadConnection {
    func begin(_ welcome: Welcome) throws {
        if self.wantsReceipts { self.receiptKey = try self.receiptKey(of: welcome) }
        let hasLevels = Capabilities(rawValue: welcome.capabilities).contains(.levels)
        let portion = self.limiter.map { UInt32(clamping: $0.portion) } ?? welcome.chunkSize
        self.sending.sender = Sender(
            chunkSize: min(portion, welcome.chunkSize),
            filesInFlight: min(welcome.filesInFlight, Self.maxFilesInFlight),
            wantsReceipts: self.wantsReceipts,
            // A server that does not know levels makes files durable, which is at least what is asked for then.
            level: hasLevels ? self.level : .durable
        )
        self.wakeTurn()
    }

    func receive(_ event: WireEvent) throws {
        guard case .frame(let frame) = event else {
            throw FxferError(.protocolViolation, "the server sent file content that was not asked for")
        }
        guard try self.receiveAnswer(frame) else {
            throw FxferError(.protocolViolation, "the server sent a frame of type \(frame.type), out of order")
        }
    }

    func flush() {
        self.wire.flushAnswers()
    }

    func connectionFailed(_ error: FxferError) {
        self.failSending(error)
    }
}

// MARK: - What is told about a file

extension UploadConnection {
    func noteAccepted(_ file: FileID, newFolderLength: UInt16?) {
        guard let upload = self.sending.loaded[file]?.label else { return }
        self.newFolders.noteAnswer(for: upload.destination, newFolderLength: newFolderLength)
    }

    func name(of upload: PendingUpload) -> String { upload.destination.description }

    func noteResumed(_ upload: PendingUpload, at offset: UInt64) {
        self.report(.resumed(upload.file, at: offset))
    }

    func noteProgress(_ upload: PendingUpload, verified: UInt64) {
        if self.furthest.note(upload.file, verified) { self.hasProgress = true }
        self.report(.progress(upload.file, verified: verified))
    }

    func noteEnded(_ upload: PendingUpload, _ result: Result<SentReceipt?, FxferError>) {
        switch result {
        case .success(let sent):
            self.hasProgress = true
            self.furthest.forget(upload.file)
            guard let sent else { return self.report(.unchanged(upload.file)) }
            let signed = self.signed(sent.receipt, of: upload)
            self.report(.ended(upload.file, .success(TransferReceipt(sent, signed))))
        case .failure(let error) where error.code == .busy || error.code == self.sending.failure?.code:
            // Not the file's fault.
            self.busy = error
            self.left.append(upload)
        case .failure(let error):
            self.report(.ended(upload.file, .failure(error)))
        }
    }
}
