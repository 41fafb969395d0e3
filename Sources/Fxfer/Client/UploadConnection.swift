import FxferProtocol
import FxferStorage
import NIOCore

/// One connection to a server, from its greeting to its end: carries out what the ``Sender`` asks for.
///
/// It runs on the connection's event loop; files are read and hashed on the disk threads. Files are sent one after the
/// other, but the next does not wait for the receipt of the last: as many as the server allows may wait at once.
actor UploadConnection {
    /// How many files this side keeps open at once, whatever the server allows: each holds a descriptor.
    private static let maxFilesInFlight: UInt16 = 64

    let wire: WireChannel
    let report: @Sendable (UploadEvent) -> Void
    private let endpoint: Endpoint
    private let timeout: Duration

    /// What the greeting led to; nil until WELCOME is in.
    var sender: Sender?
    private let handshake = ClientHandshake(chunkSize: Chunk.defaultSize, nonce: .random())
    private var idle: IdleWatch
    /// How many operations of this side the server has to wait for.
    var work = 0
    /// Why the connection is of no use any more.
    private(set) var failure: FxferError?
    /// Those who wait for an answer about a file.
    private var fileWaiters: [FileID: CheckedContinuation<Void, Never>] = [:]
    /// The one who waits for WELCOME, or until another file may be offered.
    private var turnWaiter: CheckedContinuation<Void, Never>?
    /// Chunks that the socket has not taken yet.
    var writes: [EventLoopFuture<Void>] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        self.wire.eventLoop.executor.asUnownedSerialExecutor()
    }

    init(
        wire: WireChannel,
        endpoint: Endpoint,
        timeout: Duration,
        report: @escaping @Sendable (UploadEvent) -> Void
    ) {
        self.wire = wire
        self.endpoint = endpoint
        self.timeout = timeout
        self.report = report
        self.idle = IdleWatch(timeout: TimeAmount(timeout), now: .now())
    }

    /// Sends files until all have ended or the connection fails.
    ///
    /// - Returns: how many were begun, each of which has ended, and why the others were not.
    func run(_ uploads: [Upload]) async -> (begun: Int, failure: FxferError?) {
        var begun = 0
        do {
            try await self.wire.withInbound { inbound in
                await withTaskGroup { group in
                    group.addTask { await self.readAnswers(inbound) }
                    group.addTask { await self.watch() }
                    begun = await self.converse(uploads)
                    group.cancelAll()
                }
            }
        } catch {
            // Closing failed: whether the files arrived is known from their receipts.
        }
        return (begun, self.failure)
    }

    private func converse(_ uploads: [Upload]) async -> Int {
        // A write that fails closes the channel; the one who reads the answers finds out why.
        try? await self.wire.sendPreamble(and: .hello(self.handshake.hello))
        var begun = 0
        await withDiscardingTaskGroup { receipts in
            for upload in uploads {
                guard await self.waitForTurn() else { return }
                begun += 1
                guard let open = await self.open(upload), await self.advance(open, to: .sent) else { continue }
                receipts.addTask { _ = await self.advance(open, to: .ended) }
            }
        }
        if self.failure == nil {
            try? await self.wire.send(.bye)
        }
        return begun
    }

    // MARK: Waiting

    /// Returns when another file may be offered: true, or false where the connection is of no use any more.
    private func waitForTurn() async -> Bool {
        while self.failure == nil {
            if let sender, sender.canOffer { return true }
            await withCheckedContinuation { self.turnWaiter = $0 }
        }
        return false
    }

    /// Returns at the next answer about a file, or when the connection fails.
    func waitForAnswer(_ file: FileID) async {
        guard self.failure == nil else { return }
        await withCheckedContinuation { self.fileWaiters[file] = $0 }
    }

    func wakeTurn() {
        self.turnWaiter?.resume()
        self.turnWaiter = nil
    }

    private func fail(_ error: FxferError) {
        guard self.failure == nil else { return }
        self.failure = error
        self.wire.channel.close(promise: nil)
        self.wakeTurn()
        for waiter in self.fileWaiters.values {
            waiter.resume()
        }
        self.fileWaiters = [:]
    }

    // MARK: Answers

    private func readAnswers(_ inbound: WireChannel.Inbound) async {
        do {
            for try await part in inbound {
                self.idle.heard(now: .now())
                switch part {
                case .event(.frame(let frame)):
                    if let file = try self.receive(frame) {
                        self.fileWaiters.removeValue(forKey: file)?.resume()
                    }
                case .event:
                    throw FxferError(.protocolViolation, "the server sent file content that was not asked for")
                case .violation(let error):
                    throw error
                case .guest:
                    preconditionFailure("only a server looks for guests")
                }
            }
            self.fail(self.connectionLost(nil))
        } catch let error as FxferError {
            self.wire.write(.error(SessionFailure(error)))
            self.wire.flush()
            self.fail(error)
        } catch {
            self.fail(self.connectionLost(error))
        }
    }

    /// Hands a frame to the machine; answers the file that it is about.
    private func receive(_ frame: Frame) throws(FxferError) -> FileID? {
        if case .alive = frame { return nil }
        if case .error(let failure) = frame {
            self.fail(failure.error)
            return nil
        }
        guard self.sender != nil else {
            let welcome = try self.handshake.receive(frame)
            let filesInFlight = min(welcome.filesInFlight, Self.maxFilesInFlight)
            self.sender = Sender(chunkSize: welcome.chunkSize, filesInFlight: filesInFlight)
            self.wakeTurn()
            return nil
        }
        switch frame {
        case .accept(let accept):
            try self.sender?.receive(accept)
            return accept.file
        case .confirm(let position):
            try self.sender?.receive(confirm: position)
            return position.file
        case .rewind(let position):
            try self.sender?.receive(rewind: position)
            return position.file
        case .refuse(let failure):
            try self.sender?.receive(refuse: failure)
            return failure.file
        case .receipt(let receipt):
            try self.sender?.receive(receipt)
            return receipt.file
        default:
            throw FxferError(.protocolViolation, "the server sent a frame of type \(frame.type), which is out of order")
        }
    }

    private func connectionLost(_ cause: (any Error)?) -> FxferError {
        FxferError(
            .connectionLost,
            "the connection to \(self.endpoint) ended before the work was done; try again",
            cause: cause
        )
    }

    // MARK: Silence

    /// Shows the server that this side is alive while it works, and gives a silent one up.
    private func watch() async {
        while (try? await Task.sleep(for: self.idle.interval)) != nil {
            switch self.idle.check(now: .now(), isWorking: self.work > 0) {
            case .fine:
                break
            case .sayAlive:
                self.wire.write(.alive)
                self.wire.flush()
            case .expired:
                self.fail(FxferError(.timedOut, "\(self.endpoint) said nothing for \(self.timeout); try again"))
            }
        }
    }
}
