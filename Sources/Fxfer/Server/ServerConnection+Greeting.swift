import FxferNetwork
import FxferProtocol
import FxferTrust
import NIOCore

/// Who is let in: the machine's boundary, the greeting, and the proof of a token.
extension ServerConnection {
    /// Greets the client, from its first frame on.
    ///
    /// - Returns: whether it was let in; false where it left before.
    func greet(_ first: Frame, _ parts: inout WireChannel.Inbound.AsyncIterator) async throws -> Bool {
        try self.checkBoundary()
        var capabilities: Capabilities = self.configuration.isSharing ? [.share, .levels] : .levels
        if case .tokens = self.configuration.access { capabilities.insert(.proof) }
        var handshake = ServerHandshake(
            filesInFlight: self.limits.filesInFlight,
            capabilities: capabilities,
            receiptKey: self.configuration.identity?.signer?.subjectPublicKeyInfo,
            largestChunk: self.configuration.largestChunk
        )
        var frame = first
        while true {
            switch try handshake.receive(frame, nonce: .random()) {
            case .begin(let welcome):
                try self.admit()
                self.welcome(welcome)
            case .demandProof(let welcome):
                self.welcome(welcome)
            case .judge(let proof, let nonces):
                try await self.judge(proof, nonces)
                try self.admit()
            }
            guard !handshake.isDone else { break }
            // What is announced by a chunk comes after its frame, which is not let through.
            guard case .frame(let next) = try await self.nextEvent(&parts) else { return false }
            frame = next
        }
        self.refuseWhatIsNotAllowed()
        return true
    }

    func serveGuest() async throws {
        do {
            try self.checkBoundary()
            try self.admit()
            if case .tokens = self.configuration.access {
                throw FxferError(.notPermitted, "this server lets in only those who have a token")
            }
            // Not on the event loop, as all else here: a guest may wait for something that blocks.
            try await withTaskExecutorPreference(globalConcurrentExecutor) {
                try await self.configuration.guest?.serve(self.wire.channel)
            }
        } catch let error as FxferError {
            self.metrics.refused(error.code)
            self.log.connectionFailed(error)
            if error.code == .notPermitted {
                try await self.wire.channel.writeAndFlush(ByteBuffer(string: "fxfer: \(error.message)\r\n"))
            }
        }
    }

    /// Bytes that come from another machine have to be expected, and encrypted.
    private func checkBoundary() throws {
        guard let peer = self.wire.channel.remoteAddress, let local = self.wire.channel.localAddress else {
            throw FxferError(.connectionLost, "the client went away")
        }
        guard !SameMachine.isSameMachine(peer: peer, local: local) else { return }
        if case .ownMachine = self.configuration.access {
            throw FxferError(
                .notPermitted,
                "this server accepts connections from its own machine only; its operator lets others in by starting it "
                    + "with --token-file FILE or --open"
            )
        }
        guard self.isSecure || self.configuration.allowsPlaintext else {
            throw FxferError(
                .notPermitted,
                "this server takes connections from other machines over TLS only; leave out --plaintext, or have its "
                    + "operator start it with --allow-plaintext"
            )
        }
    }

    private func welcome(_ welcome: Welcome) {
        self.receiving.receiver = Receiver(chunkSize: welcome.chunkSize, filesInFlight: welcome.filesInFlight)
        let portion = self.limiter.map { UInt32(clamping: $0.portion) } ?? welcome.chunkSize
        self.sending.sender = Sender(
            chunkSize: min(portion, welcome.chunkSize, Self.largestChunkGiven),
            filesInFlight: min(welcome.filesInFlight, Self.maxFilesGiven)
        )
        if welcome.receiptKey != nil { self.signer = self.configuration.identity?.signer }
        self.hasGreeted = true
        self.wire.writePreamble()
        self.wire.write(.welcome(welcome))
    }

    private func judge(_ proof: Digest, _ nonces: Nonces) async throws {
        guard case .tokens(let tokens) = self.configuration.access else {
            preconditionFailure("a proof is asked for by a server that takes tokens")
        }
        let certificate = self.isSecure ? self.configuration.identity?.certificateDigest ?? .zero : .zero
        guard let entry = tokens.current.entry(proving: proof, nonces: nonces, certificate: certificate) else {
            try await self.slowDown()
            throw FxferError(
                .notPermitted,
                "the token is not one of this server's, or someone stands between; ask its operator for one"
            )
        }
        self.rights = entry.rights
        self.log.name(token: entry.name)
        self.origin.token = entry.name
        let answer = Proof.make(token: entry.token, role: .server, nonces: nonces, certificate: certificate)
        self.wire.write(.auth(Auth(proof: answer)))
    }

    /// Lets a client whose proof was wrong wait for its answer. Who has the right token never waits, whatever others at
    /// the same address do.
    ///
    /// - Throws: `busy` where the wait would be longer than a greeting may take.
    private func slowDown() async throws {
        let address = AddressBlock(self.wire.channel.remoteAddress)
        defer { self.penalties.failed(address, now: .now()) }
        let delay = try self.penalties.delay(for: address, now: .now(), deadline: self.admissionDeadline)
        if delay > .zero { try await Task.sleep(for: .nanoseconds(delay.nanoseconds)) }
    }

    private func refuseWhatIsNotAllowed() {
        if self.isShuttingDown {
            self.receiving.receiver.refuseOffers(Self.shutdownError)
        } else if !self.rights.contains(.upload) {
            self.receiving.receiver.refuseOffers(self.tokenLacks("send files"))
        }
    }

    func tokenLacks(_ verb: String) -> FxferError {
        FxferError(.notPermitted, "this token does not allow to \(verb); ask the server's operator for one that does")
    }
}
