import FxferNetwork
import FxferProtocol
import FxferStorage
import FxferTrust
import Logging
import NIOCore

/// One client's connection, from its first byte to its end: carries out what the machines answer.
///
/// It runs on the connection's event loop; file work runs on the store's threads. What comes in is looked at frame by
/// frame, and the next bytes are not asked for until the last are handled: a slow disk stops the reading of the socket.
actor ServerConnection<Directory: Store & SharedFiles>: FileReceiving, FileSending {
    let wire: WireChannel
    let store: Directory
    let configuration: ServerConfiguration
    let penalties: AddressPenalties
    let metrics: ServerMetrics
    /// Where the client is; told while it is connected.
    let peer: Corruption.Peer
    var log: TransferLog
    /// The client's address, and its token's name once it has proven it.
    var origin: Origin

    var receiving: ReceivingState<Directory.Staged>
    var sending = SendingState<GivenFile>()
    let requests = RequestQueue()
    /// The number of the last GET.
    var lastGet: FileID = 0
    /// How many bytes of each file that is given are in ``ServerMetric/bytesSent``, or were there before.
    var countedSent: [FileID: UInt64] = [:]
    var idle: IdleWatch
    var pace: ConnectionPace
    var work = 0
    var decoder: FrameDecoder
    /// When the client has to be admitted at the latest.
    let admissionDeadline: NIODeadline
    /// Whether the client may use the server: greeting, and what else comes before, is over.
    private(set) var isAdmitted = false
    /// Asks whether the connection still has its place.
    private var hasPlace: @Sendable () -> Bool = { true }
    /// Why the connection ends with the client's first words: another has its place.
    var dismissal: FxferError?
    /// Whether the client said anything in this protocol.
    var hasHeard = false
    var hasGreeted = false
    var hasEnded = false
    /// Whether a guest has taken the connection over, with time limits of its own.
    var isWithGuest = false
    /// Whether TLS is spoken.
    var isSecure = false
    /// Signs receipts; nil where the client does not want that.
    var signer: ReceiptSigner?
    /// What the client may do, once it has greeted.
    var rights = AccessRights.all
    var isShuttingDown = false
    var graceIsOver = false

    var limiter: RateLimiter? { self.configuration.limiter }

    var limits: ServerLimits { self.configuration.limits }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        self.wire.executor.asUnownedSerialExecutor()
    }

    init(
        wire: WireChannel,
        store: Directory,
        configuration: ServerConfiguration,
        penalties: AddressPenalties,
        metrics: ServerMetrics,
        logger: Logger
    ) {
        self.wire = wire
        self.store = store
        self.configuration = configuration
        self.penalties = penalties
        self.metrics = metrics
        self.peer = Corruption.Peer(of: wire.channel)
        self.log = TransferLog(logger: logger, peer: wire.channel.remoteAddress)
        self.origin = Origin(address: wire.channel.remoteAddress.map { Endpoint($0).host })
        self.receiving = ReceivingState(
            Receiver(chunkSize: Chunk.defaultSize, filesInFlight: configuration.limits.filesInFlight)
        )
        let limits = configuration.limits
        self.idle = IdleWatch(timeout: TimeAmount(limits.idleTimeout), now: .now())
        self.pace = ConnectionPace(minRate: limits.minRate, idleTimeout: TimeAmount(limits.idleTimeout))
        self.decoder = FrameDecoder(maxBodyLength: limits.maxFrameSize)
        self.admissionDeadline = .now() + TimeAmount(limits.handshakeTimeout)
    }

    /// Serves the client to the end of its connection. Whatever was not published by then is kept as a partial or
    /// discarded.
    ///
    /// - Parameters:
    ///   - hasPlace: asked when the client is to be admitted: whether no other had its place meanwhile.
    ///   - leavePlace: called before the connection is closed: a client that sees that, and comes again, finds a place.
    func run(hasPlace: @escaping @Sendable () -> Bool, leavePlace: @Sendable () -> Void) async {
        self.hasPlace = hasPlace
        do {
            try await withThrowingTaskGroup { group in
                group.addTask { try await self.watch() }
                try await self.wire.withInbound { inbound in
                    defer { leavePlace() }
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
            if TLSFailure.isDamage(error) { self.count(.tls) }
            self.log.connectionLost(error)
        }
        await self.discardAll(FxferError(.connectionLost, "the connection ended before the file was complete"))
    }

    /// Refuses further files; ends the connection when none is open.
    func shutDown() {
        self.isShuttingDown = true
        self.receiving.receiver.refuseOffers(Self.shutdownError)
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
        guard self.isShuttingDown, self.receiving.commits == 0 else { return }
        let isIdle =
            self.receiving.receiver.isIdle && self.requests.isEmpty && self.sending.sender?.isIdle ?? true
            && !self.isWithGuest
        if self.graceIsOver || isIdle {
            self.end(Self.shutdownError)
        }
    }

    /// Tells the client why its connection ends; what it still sends is thrown away.
    func end(_ error: FxferError) {
        guard !self.hasEnded else { return }
        self.hasEnded = true
        self.metrics.refused(error.code)
        // One that has said nothing is not worth a line: there may be very many.
        self.log.connectionFailed(error, level: self.hasHeard || self.isWithGuest ? nil : .debug)
        if self.hasHeard, !self.isWithGuest {
            self.wire.end(with: error, hasGreeted: self.hasGreeted)
        } else {
            self.wire.channel.close(promise: nil)
        }
    }

    /// The client may use the server from now on.
    ///
    /// - Throws: `busy` where the connection had to make room for another.
    func admit() throws(FxferError) {
        guard self.hasPlace() else {
            throw FxferError(.busy, "the server has too many connections; try again later")
        }
        self.isAdmitted = true
        self.idle.heard(now: .now())
    }

    /// Ends the connection of a client that has not come through the greeting in time, however much it has said.
    private func endUnadmitted() {
        let limit = self.limits.handshakeTimeout
        self.end(FxferError(.timedOut, "the greeting was not over within \(limit); try again"))
    }

    /// How long until the client is looked after again. Never long: of a sleep that is cancelled, as the connection ends,
    /// Swift keeps about 700 bytes until its time has come.
    private var untilNextLook: Duration {
        let interval = self.idle.interval
        guard !self.isAdmitted else { return interval }
        return min(interval, .nanoseconds(max(0, (self.admissionDeadline - .now()).nanoseconds)))
    }

    static var shutdownError: FxferError {
        FxferError(.shuttingDown, "the server is shutting down; try again later")
    }

    /// Shows the client that this side is alive while it works, and closes the connection of a silent one, or of one that
    /// is not admitted in time.
    private func watch() async throws {
        while true {
            try await Task.sleep(for: self.untilNextLook)
            // Until then, all the time there is ends at once.
            guard self.isAdmitted else {
                guard self.admissionDeadline > .now() else { return self.endUnadmitted() }
                continue
            }
            guard !self.isWithGuest else { return }
            if let error = self.pace.check(self.wire.outputProgress, now: .now()) { self.end(error) }
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
