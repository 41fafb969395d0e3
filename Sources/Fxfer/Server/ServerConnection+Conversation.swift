import FxferProtocol
import FxferStorage
import NIOCore

/// The conversation with the client, from the greeting to the goodbye.
extension ServerConnection {
    func serve(_ parts: inout WireChannel.Inbound.AsyncIterator) async throws {
        guard let greeting = try await self.nextEvent(&parts) else {
            if self.isWithGuest { try await self.serveGuest() }
            return
        }
        guard case .frame(let frame) = greeting else {
            preconditionFailure("the decoder announces a chunk before its payload")
        }
        guard try await self.greet(frame, &parts) else { return }
        try await withThrowingDiscardingTaskGroup { tasks in
            tasks.addTask { await self.workOnFiles() }
            // A group of its own: what is given and listed is cancelled with its client, what is published is not.
            try await withThrowingDiscardingTaskGroup { answers in
                answers.addTask { await self.answerRequests() }
                let result = await self.converse(&parts)
                // Nobody is there any more who could take what is being given.
                self.failSending(Self.clientIsGone)
                self.requests.end()
                answers.cancelAll()
                // What is being published gets its receipt, however the conversation ended.
                await self.endReceiving()
                // Before the group is waited for: a file that is given may wait for a client that reads no more.
                switch result {
                case .success:
                    self.endIfDue()
                    self.wire.endOutput()
                case .failure(let error as FxferError):
                    self.end(error)
                case .failure:
                    break
                }
                try result.get()
            }
        }
    }

    private func converse(_ parts: inout WireChannel.Inbound.AsyncIterator) async -> Result<Void, any Error> {
        do {
            while let event = try await self.nextEvent(&parts) {
                if case .payload(let bytes) = event, self.takePayload(bytes) { continue }
                guard try await self.handle(event) else { break }
            }
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// The next event; when nothing more has come in, what this side has to say is sent before it waits. Nil at the end.
    func nextEvent(_ parts: inout WireChannel.Inbound.AsyncIterator) async throws -> WireEvent? {
        while !self.hasEnded, !self.graceIsOver {
            if let event = try self.decoded() {
                self.pace.took(event)
                return event
            }
            self.flush()
            await self.wire.drain(to: self.maxUnreadBytes)
            self.pace.waits(for: self.decoder, now: .now())
            guard let part = try await parts.next(isolation: self) else { return nil }
            self.pace.heard(now: .now())
            self.idle.heard(now: .now())
            switch part {
            case .bytes(let bytes):
                self.hasHeard = true
                // Now that there are words, the client is told.
                if let dismissal = self.dismissal { throw dismissal }
                self.decoder.append(bytes)
            case .secured:
                self.isSecure = true
            case .guest:
                self.hasHeard = true
                self.isWithGuest = true
                if let dismissal = self.dismissal { throw dismissal }
                return nil
            }
        }
        return nil
    }

    /// A client that does not read its answers is not listened to. Files that it gets wait for the socket, too, and are no
    /// reason.
    private var maxUnreadBytes: Int {
        let gives = !self.sending.open.isEmpty || !self.sending.loaded.isEmpty
        return gives ? WireChannel.maxWaitingBytes + 2 * Int(self.receiving.receiver.chunkSize) : Self.maxUnreadAnswers
    }

    /// More than all answers about as many files as may be open: 256 KiB.
    private static var maxUnreadAnswers: Int { 262_144 }

    /// The next event of what is here.
    private func decoded() throws(FxferError) -> WireEvent? {
        do {
            return try self.decoder.next()
        } catch {
            if error.code == .damaged { self.count(.frame) }
            throw error
        }
    }

    func nextPayload() -> ByteBuffer? {
        while true {
            if let bytes = self.decoder.nextPayload() {
                self.pace.took(.payload(bytes))
                return bytes
            }
            guard self.decoder.awaitsPayload, let bytes = self.wire.takeWaitingBytes() else { return nil }
            self.idle.heard(now: .now())
            self.decoder.append(bytes)
        }
    }

    private static var clientIsGone: FxferError {
        FxferError(.connectionLost, "the connection ended before the client had the file")
    }

    /// Answers false when the client said BYE.
    private func handle(_ event: WireEvent) async throws -> Bool {
        switch event {
        case .payload(let bytes):
            if self.idle.tookPayload(now: .now()) {
                self.wire.write(.alive)
                self.wire.flush()
            }
            try await self.handlePayload(bytes)
        case .payloadEnd(let digest): try await self.handlePayloadEnd(digest)
        case .frame(.offer(let offer)): try await self.receive(offer)
        case .frame(.chunk(let chunk)): try await self.handleChunk(chunk)
        case .frame(.finish(let finish)): try await self.handleFinish(finish)
        case .frame(.repair(let repair)): try await self.handleRepair(repair)
        case .frame(.cancel(let cancel)): try await self.handleCancel(cancel)
        case .frame(.get(let get)): try self.take(.get(get))
        case .frame(.list(let list)): try self.take(.list(list))
        case .frame(.alive): break
        case .frame(.bye): return false
        case .frame(.error(let failure)):
            self.log.connectionFailed(failure.error)
            return false
        case .frame(let frame):
            guard try self.receiveAnswer(frame) else {
                throw FxferError(.protocolViolation, "a frame of type \(frame.type) is out of order")
            }
            if case .rewind = frame { self.metrics.rewinds.increment() }
        }
        return true
    }
}
