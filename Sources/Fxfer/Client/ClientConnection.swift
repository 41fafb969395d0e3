import FxferNetwork
import FxferProtocol
import FxferTrust
import NIOCore

/// A client's end of a connection, whatever it does there: the greeting, the reading of answers, the time limits, and
/// the end.
protocol ClientConnection: WireConnection {
    var client: ClientState { get set }

    /// The server has greeted: files can be sent or asked for from now on.
    func begin(_ welcome: Welcome) throws
    /// Something came from the server.
    func receive(_ event: WireEvent) async throws
    /// What was written in answer to a round of events is sent now.
    func flush()
    /// The connection is of no use any more.
    func connectionFailed(_ error: FxferError)
}

/// What every client knows about its connection.
struct ClientState {
    let endpoint: Endpoint
    let security: ClientSecurity
    let timeout: Duration
    /// What is said first, and what the greeting led to.
    var handshake: ClientHandshake
    /// What the server showed; nil where the connection is plain.
    var certificate: ServerCertificate?
    var hasGreeted = false
    var decoder = FrameDecoder()
    var idle: IdleWatch
    /// Why the connection is of no use any more.
    var failure: FxferError?

    /// - Parameters:
    ///   - options: what uploads ask of the server.
    ///   - timeout: how long the server may be silent while it is its turn.
    init(_ endpoint: Endpoint, _ security: ClientSecurity, _ options: UploadOptions, timeout: Duration) {
        self.endpoint = endpoint
        self.security = security
        self.timeout = timeout
        self.handshake = ClientHandshake(
            chunkSize: Chunk.defaultSize,
            nonce: .random(),
            hasToken: security.token != nil,
            wantsReceipts: options.wantsReceipts,
            level: options.level
        )
        self.idle = IdleWatch(timeout: TimeAmount(timeout), now: .now())
    }
}

extension ClientConnection {
    /// Greets the server, runs `body`, and says goodbye; returns when all of that is over.
    ///
    /// - Returns: why the connection failed, where it did.
    func converse(_ body: @escaping @Sendable () async -> Void) async -> FxferError? {
        var failure: FxferError?
        do {
            try await self.wire.withInbound { inbound in
                await withTaskGroup { group in
                    group.addTask { await self.readAnswers(inbound) }
                    group.addTask { await self.watch() }
                    self.wire.writePreamble()
                    self.wire.write(.hello(self.client.handshake.hello))
                    self.wire.flush()
                    await body()
                    // What happens to the connection after the goodbye is of no interest.
                    failure = self.client.failure
                    if failure == nil {
                        self.wire.write(.bye)
                        self.wire.flush()
                        await self.wire.drain(to: 0)
                    }
                    group.cancelAll()
                }
            }
        } catch {
            // Closing failed: whether the files arrived is known from their receipts.
        }
        return failure
    }

    func fail(_ error: FxferError) {
        guard self.client.failure == nil else { return }
        self.client.failure = error
        self.wire.channel.close(promise: nil)
        self.connectionFailed(error)
    }

    private func readAnswers(_ inbound: WireChannel.Inbound) async {
        var parts = inbound.makeAsyncIterator()
        do {
            while let part = try await parts.next(isolation: self) {
                self.client.idle.heard(now: .now())
                switch part {
                case .bytes(let bytes): self.client.decoder.append(bytes)
                case .secured(let certificate): self.client.certificate = certificate
                case .guest: preconditionFailure("only a server looks for guests")
                }
                while self.client.failure == nil, let event = try self.client.decoder.next() {
                    try await self.take(event)
                }
                self.flush()
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

    private func take(_ event: WireEvent) async throws {
        switch event {
        case .frame(.alive):
            break
        case .frame(.error(let failure)):
            self.fail(failure.error)
        case .frame(let frame) where !self.client.hasGreeted:
            try await self.greet(frame)
        default:
            try await self.receive(event)
        }
    }

    private func greet(_ frame: Frame) async throws {
        switch try self.client.handshake.receive(frame) {
        case .begin(let welcome):
            try await self.begin(welcome, isProven: false)
        case .prove(let nonces):
            self.wire.write(.auth(Auth(proof: self.proof(of: .client, nonces))))
            self.wire.flush()
        case .check(let proof, let nonces, let welcome):
            guard Proof.equal(proof, self.proof(of: .server, nonces)) else {
                throw FxferError(
                    .notPermitted,
                    "\(self.client.endpoint) does not know the token: it is another server, or someone stands between; "
                        + "nothing was sent"
                )
            }
            try await self.begin(welcome, isProven: true)
        }
    }

    private func begin(_ welcome: Welcome, isProven: Bool) async throws {
        let security = self.client.security
        if let key = self.client.certificate?.fingerprint,
            let contact = try await security.trust.remember(key, of: self.client.endpoint, isProven: isProven)
        {
            security.onFirstContact(contact)
        }
        self.client.hasGreeted = true
        try self.begin(welcome)
    }

    private func proof(of role: Proof.Role, _ nonces: Nonces) -> Digest {
        guard let token = self.client.security.token else { preconditionFailure("a proof is asked for by a token") }
        let certificate = self.client.certificate?.digest ?? .zero
        return Proof.make(token: token, role: role, nonces: nonces, certificate: certificate)
    }

    private func connectionLost(_ error: (any Error)?) -> FxferError {
        FxferError(
            .connectionLost,
            self.client.hasGreeted
                ? "the connection to \(self.client.endpoint) ended before the work was done; try again"
                : "the connection to \(self.client.endpoint) ended before it greeted; try again if it is an fxfer server",
            cause: error
        )
    }

    /// Shows the server that this side is alive while it works, and gives up a silent one.
    private func watch() async {
        while (try? await Task.sleep(for: self.client.idle.interval)) != nil {
            switch self.client.idle.check(now: .now(), isWorking: self.work > 0) {
            case .fine:
                break
            case .sayAlive:
                guard self.client.hasGreeted else { break }
                self.wire.write(.alive)
                self.wire.flush()
            case .expired:
                let peer = "\(self.client.endpoint) said nothing for \(self.client.timeout)"
                self.fail(FxferError(.timedOut, "\(peer); try again"))
            }
        }
    }
}
