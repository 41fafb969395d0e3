import FxferProtocol
import FxferStorage
import Logging
import NIOCore

/// One client's connection, from its first byte to its end: carries out what the machines answer.
///
/// It runs on the connection's event loop; file work runs on the store's threads. Incoming parts are taken one by one,
/// and the next is not asked for until the last is written: a slow disk stops the reading of the socket.
actor ServerConnection<Directory: Store> {
    let wire: WireChannel
    let store: Directory
    private let configuration: ServerConfiguration
    let log: TransferLog

    var receiver: Receiver
    var files: [FileID: Transfer] = [:]
    var idle: IdleWatch
    /// How many operations of this side the client has to wait for.
    var work = 0
    /// Whether the client said anything in this protocol.
    private var hasHeard = false
    private var hasGreeted = false
    private var hasEnded = false
    /// Whether a guest has taken the connection over, with time limits of its own.
    private var isWithGuest = false
    private var isShuttingDown = false
    private var graceIsOver = false
    /// How many files are being published, or wait for the socket to take their receipt.
    var commits = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        self.wire.eventLoop.executor.asUnownedSerialExecutor()
    }

    /// A file that is open on this connection.
    struct Transfer {
        let path: RelativePath
        let began: NIODeadline
        let staging: Staging<Directory.Staged>
    }

    init(wire: WireChannel, store: Directory, configuration: ServerConfiguration, logger: Logger) {
        self.wire = wire
        self.store = store
        self.configuration = configuration
        self.log = TransferLog(logger: logger, peer: wire.channel.remoteAddress)
        self.receiver = Receiver(chunkSize: Chunk.defaultSize, filesInFlight: configuration.filesInFlight)
        self.idle = IdleWatch(timeout: TimeAmount(configuration.handshakeTimeout), now: .now())
    }

    /// Serves the client to the end of its connection. Whatever was not published by then is discarded.
    func run() async {
        do {
            try await withThrowingTaskGroup { group in
                group.addTask { try await self.watch() }
                try await self.wire.withInbound { inbound in
                    var parts = inbound.makeAsyncIterator()
                    do {
                        try await self.serve(&parts)
                        self.endIfDue()
                        self.wire.endOutput()
                    } catch let error as FxferError {
                        self.end(error)
                    } catch {
                        // Where something was to be said after the last word, the client shall still read that one.
                        guard self.hasEnded else { throw error }
                    }
                    while try await parts.next(isolation: self) != nil {}
                }
                group.cancelAll()
            }
        } catch {
            self.log.connectionLost(error)
        }
        await self.discardAll(FxferError(.connectionLost, "the connection ended before the file was complete"))
    }

    /// Closes the connection at once, with a word why: there are too many.
    func turnAway() {
        let error = FxferError(.busy, "the server has too many connections; try again later")
        self.log.connectionFailed(error)
        self.wire.end(with: error, hasGreeted: false)
        self.wire.channel.close(promise: nil)
    }

    /// Refuses further files; ends the connection when none is open.
    func shutDown() {
        self.isShuttingDown = true
        self.receiver.refuseOffers(Self.shutdownError)
        self.endIfDue()
    }

    /// Takes nothing more, sends the receipts of what is just being published, and tells the client that the server
    /// goes away.
    func endForShutdown() {
        self.graceIsOver = true
        self.endIfDue()
    }

    /// Ends the connection of a server that shuts down, when nothing has to be waited for any more.
    func endIfDue() {
        guard self.isShuttingDown, self.commits == 0 else { return }
        if self.graceIsOver || (self.receiver.isIdle && !self.isWithGuest) {
            self.end(Self.shutdownError)
        }
    }

    /// Tells the client why its connection ends; what it still sends is thrown away.
    private func end(_ error: FxferError) {
        guard !self.hasEnded else { return }
        self.hasEnded = true
        self.log.connectionFailed(error)
        if self.hasHeard, !self.isWithGuest {
            self.wire.end(with: error, hasGreeted: self.hasGreeted)
        } else {
            self.wire.channel.close(promise: nil)
        }
    }

    private static var shutdownError: FxferError {
        FxferError(.shuttingDown, "the server is shutting down; try again later")
    }
}

// MARK: - The conversation

extension ServerConnection {
    private func serve(_ parts: inout WireChannel.Inbound.AsyncIterator) async throws {
        guard let greeting = try await self.nextEvent(&parts) else {
            if self.isWithGuest { try await self.serveGuest() }
            return
        }
        guard case .frame(let frame) = greeting else {
            preconditionFailure("the decoder announces a chunk before its payload")
        }
        try self.checkPermission()
        try await self.greet(frame)
        try await withThrowingDiscardingTaskGroup { commits in
            while let event = try await self.nextEvent(&parts) {
                guard try await self.handle(event, &commits) else { return }
            }
        }
    }

    private func nextEvent(_ parts: inout WireChannel.Inbound.AsyncIterator) async throws -> WireEvent? {
        let part = try await parts.next(isolation: self)
        guard !self.hasEnded, !self.graceIsOver else { return nil }
        self.hasHeard = true
        self.idle.heard(now: .now())
        switch part {
        case .event(let event): return event
        case .violation(let error): throw error
        case .guest:
            self.isWithGuest = true
            return nil
        case nil: return nil
        }
    }

    private func serveGuest() async throws {
        do {
            try self.checkPermission()
            try await self.configuration.guest?.serve(self.wire.channel)
        } catch let error as FxferError {
            self.log.connectionFailed(error)
            if error.code == .notPermitted {
                try await self.wire.channel.writeAndFlush(ByteBuffer(string: "fxfer: \(error.message)\r\n"))
            }
        }
    }

    private func checkPermission() throws {
        guard let peer = self.wire.channel.remoteAddress, let local = self.wire.channel.localAddress,
            SameMachine.isSameMachine(peer: peer, local: local)
        else {
            throw FxferError(
                .notPermitted,
                "this server accepts connections from its own machine only; run 'fxfer send' there"
            )
        }
    }

    private func greet(_ frame: Frame) async throws {
        let handshake = ServerHandshake(filesInFlight: self.configuration.filesInFlight)
        let welcome = try handshake.receive(frame, nonce: .random())
        self.receiver = Receiver(chunkSize: welcome.chunkSize, filesInFlight: welcome.filesInFlight)
        if self.isShuttingDown {
            self.receiver.refuseOffers(Self.shutdownError)
        }
        self.idle = IdleWatch(timeout: TimeAmount(self.configuration.idleTimeout), now: .now())
        self.hasGreeted = true
        try await self.wire.sendPreamble(and: .welcome(welcome))
    }

    /// Answers false when the client said BYE.
    private func handle(
        _ event: WireEvent,
        _ commits: inout ThrowingDiscardingTaskGroup<any Error>
    ) async throws -> Bool {
        switch event {
        case .payload(let bytes): try await self.handlePayload(bytes)
        case .payloadEnd(let digest): try await self.handlePayloadEnd(digest)
        case .frame(.offer(let offer)): try await self.handleOffer(offer)
        case .frame(.chunk(let chunk)): try await self.handleChunk(chunk)
        case .frame(.finish(let finish)): try await self.handleFinish(finish, &commits)
        case .frame(.cancel(let cancel)): try await self.handleCancel(cancel)
        case .frame(.alive): break
        case .frame(.bye): return false
        case .frame(.error(let failure)):
            self.log.connectionFailed(failure.error)
            return false
        case .frame(let frame):
            throw FxferError(.protocolViolation, "a frame of type \(frame.type) is out of order")
        }
        return true
    }

    /// Shows the client that this side is alive while it works, and closes the connection of a silent one.
    private func watch() async throws {
        while true {
            try await Task.sleep(for: self.idle.interval)
            guard !self.isWithGuest else { return }
            switch self.idle.check(now: .now(), isWorking: self.work > 0) {
            case .fine:
                break
            case .sayAlive:
                self.wire.write(.alive)
                self.wire.flush()
            case .expired:
                self.end(FxferError(.timedOut, "nothing came from the client for too long; try again"))
            }
        }
    }
}
