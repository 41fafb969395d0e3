import FxferProtocol
import FxferStorage
import NIOCore

/// The sending half of a connection: carries out what the ``Sender`` asks for.
///
/// It runs on the connection's event loop; files are read and hashed on the disk threads. A file whose content is in
/// memory is brought forward by the answers themselves (``FileSending+Loaded``); each other one has a task.
protocol FileSending: WireConnection {
    /// What the owner knows a file by.
    associatedtype Label: Sendable

    var sending: SendingState<Label> { get set }

    /// A file's name for a person.
    func name(of label: Label) -> String
    /// The receiver goes on from what it has of the file.
    func noteResumed(_ label: Label, at offset: UInt64)
    /// The receiver takes a file; see ``Accept``.
    func noteAccepted(_ file: FileID, newFolderLength: UInt16?)
    /// Looks at the signature of a receipt, where one was agreed on, before it counts.
    func check(_ receipt: Receipt) throws(FxferError)
    /// The receiver has verified that many bytes.
    func noteProgress(_ label: Label, verified: UInt64)
    /// The file is over. The receipt is nil where the receiver has a file of that size and time, and did not read it.
    func noteEnded(_ label: Label, _ result: Result<SentReceipt?, FxferError>)
}

/// What the receiver acknowledged, and what it took.
struct SentReceipt: Sendable {
    let receipt: Receipt
    /// How often a part was asked for again.
    let rewinds: Int
}

/// How far a file is to be brought.
enum Milestone {
    /// Everything is sent; the receipt is not in.
    case sent
    case ended
}

extension FileSending {
    /// How many bytes may wait for the socket while the next chunk is read.
    private static var maxWaitingBytes: Int { WireChannel.maxWaitingBytes }

    /// Carries out what the machine asks for until the file has come that far; false where it has ended, of which the
    /// owner was told.
    func advance(_ open: OutgoingFile<Label>, to milestone: Milestone) async -> Bool {
        self.sending.open[open.file] = open
        do {
            // What the receiver has judged stands, also where the connection failed right behind it.
            while let step = self.sending.sender?.nextStep(of: open.file) {
                if let offset = self.sending.sender?.takeResumption(of: open.file) {
                    self.noteResumed(open.label, at: offset)
                    self.noteConfirmed(open)
                }
                switch step {
                case .done(let receipt):
                    self.end(open, .success(SentReceipt(receipt: receipt, rewinds: self.rewinds(open.file))))
                    return false
                case .same:
                    self.end(open, .success(nil))
                    return false
                case .refused(let error):
                    throw error
                case _ where self.sending.failure != nil:
                    throw self.sending.failure ?? Self.notGreeted
                case .awaitReceipt where milestone == .sent:
                    return true
                case .wait, .awaitReceipt:
                    self.wire.flush()
                    await self.waitForAnswer(open.file)
                case .hashPrefix(let length):
                    try await self.comparePrefix(open, length)
                case .restart:
                    try open.source.restart()
                case .repair(let repair):
                    self.wire.write(.repair(repair))
                    try open.source.restart()
                case .skip(let offset):
                    try await self.working { try await open.source.skip(to: offset) }
                    self.sending.sender?.skipped(open.file, to: offset)
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
            // What was cancelled was so because nothing more can be sent.
            let failure = error is CancellationError ? self.sending.failure : nil
            self.end(open, .failure(failure ?? FxferError(wrapping: error)))
            return false
        }
    }

    private func comparePrefix(_ open: OutgoingFile<Label>, _ length: UInt64) async throws {
        let digest = try await self.working { try await open.source.hashPrefix(length) }
        self.sending.sender?.prefixHashed(open.file, FilePrefix(length: length, digest: digest))
    }

    private func sendChunk(_ open: OutgoingFile<Label>, at offset: UInt64, _ count: Int) async throws {
        let read = try await self.working {
            // Waited for before the chunk, whose size is chosen for that: nothing may come between its parts.
            if let pause = self.limiter?.pause(before: count) {
                self.wire.flush()
                try await Task.sleep(for: pause)
            }
            return try await open.source.read(at: offset, count: count)
        }
        let prefix = FilePrefix(length: offset + UInt64(read.bytes.readableBytes), digest: read.digest)
        guard self.sending.failure == nil,
            let chunk = self.sending.sender?.chunkRead(open.file, at: offset, prefix)
        else { return }
        self.wire.write(.chunk(chunk))
        self.wire.write(payload: read.bytes)
        self.wire.write(digest: read.digest)
        // The next part of a stream may be long in coming, and the receiver need not wait for that.
        if open.source.attributes.size == nil { self.wire.flush() }
        // Not work of this side: it is the peer's turn to read.
        await self.wire.drain(to: Self.maxWaitingBytes)
    }

    private func finish(_ open: OutgoingFile<Label>) async throws {
        try await self.working { try await open.source.checkUnchanged() }
        guard self.sending.failure == nil, let finish = self.sending.sender?.finish(open.file) else { return }
        try open.expected?.check(finish.content, self.name(of: open.label))
        self.wire.write(.finish(finish))
        self.wire.flush()
        open.source.releaseBuffers()
    }

    private func noteConfirmed(_ open: OutgoingFile<Label>) {
        guard let confirmed = self.sending.sender?.confirmed(open.file), confirmed > 0 else { return }
        open.source.confirm(confirmed)
        self.noteProgress(open.label, verified: confirmed)
    }

    private func rewinds(_ file: FileID) -> Int {
        self.sending.sender?.rewinds(file) ?? 0
    }

    private func end(_ open: OutgoingFile<Label>, _ result: Result<SentReceipt?, FxferError>) {
        self.sending.open[open.file] = nil
        self.close(open.file, result)
        self.noteEnded(open.label, result)
    }

    /// Takes note in the machine that a file is over.
    func close(_ file: FileID, _ result: Result<SentReceipt?, FxferError>) {
        switch result {
        case .success:
            self.sending.sender?.close(file)
        case .failure(let error):
            if self.sending.failure == nil, let cancel = self.sending.sender?.cancel(file, error) {
                self.wire.write(cancel)
                self.wire.flush()
            }
        }
        self.wakeTurn()
    }

    static var notGreeted: FxferError {
        FxferError(.internal, "a file was to be sent before the greeting")
    }
}

// MARK: - Waiting

extension FileSending {
    /// Returns when another file may be offered: true, or false where nothing more can be sent.
    func waitForTurn() async -> Bool {
        while self.sending.failure == nil {
            if let sender = self.sending.sender, sender.canOffer { return true }
            self.wire.flush()
            await withCheckedContinuation { self.sending.turnWaiter = $0 }
        }
        return false
    }

    /// Returns at the next answer about a file, or when nothing more can be sent.
    private func waitForAnswer(_ file: FileID) async {
        guard self.sending.failure == nil else { return }
        await withCheckedContinuation { self.sending.fileWaiters[file] = $0 }
    }

    func wakeTurn() {
        self.sending.turnWaiter?.resume()
        self.sending.turnWaiter = nil
    }

    /// Nothing more can be sent: all who wait are told.
    func failSending(_ error: FxferError) {
        guard self.sending.failure == nil else { return }
        self.sending.failure = error
        self.wakeTurn()
        for waiter in self.sending.fileWaiters.values {
            waiter.resume()
        }
        self.sending.fileWaiters = [:]
        self.endLoaded(error)
    }
}

// MARK: - Answers

extension FileSending {
    /// Hands a frame to the machine, and to those who wait for it; false where it is none that a receiver sends.
    func receiveAnswer(_ frame: Frame) throws(FxferError) -> Bool {
        let file: FileID
        switch frame {
        case .accept(let accept):
            try self.sending.sender?.receive(accept)
            file = accept.file
            self.noteAccepted(file, newFolderLength: accept.newFolderLength)
        case .confirm(let position):
            try self.sending.sender?.receive(confirm: position)
            file = position.file
            // At once: whoever brings the file forward may wait for its source.
            if let open = self.sending.open[file] { self.noteConfirmed(open) }
        case .rewind(let position):
            try self.sending.sender?.receive(rewind: position)
            file = position.file
        case .receipt(let receipt):
            try self.check(receipt)
            try self.sending.sender?.receive(receipt)
            file = receipt.file
        case .same(let same):
            try self.sending.sender?.receive(same)
            file = same.file
        case .refuse(let failure):
            try self.sending.sender?.receive(refuse: failure)
            file = failure.file
        case .reading(let reading):
            try self.sending.sender?.receive(reading)
            file = reading.file
        default:
            return false
        }
        if let loaded = self.sending.loaded[file] {
            self.advance(loaded, file)
        } else {
            self.sending.fileWaiters.removeValue(forKey: file)?.resume()
        }
        return true
    }
}
