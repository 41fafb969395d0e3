import FxferProtocol

/// Leads a ``Receiver`` as its owner does, by short words, and notes what was to be committed.
///
/// Chunks of 10 bytes at most are agreed on. Digests are stand-ins: the machine only compares them.
struct ReceiverScript {
    var receiver: Receiver
    private(set) var commits: [FilePrefix] = []

    /// What the machine asks for, without messages.
    enum Answer: Equatable {
        case stage
        case proceed
        case append(FileID)
        case verify(FileID)
        case send(Frame)
        case restart(FileID)
        case fill(upTo: UInt64)
        /// There is no frame to send.
        case nothing
        case refuse(FileID, FxferError.Code)
        case commit(FilePrefix)
        case discard
        case forget
    }

    init(filesInFlight: UInt16 = 4) {
        self.receiver = Receiver(chunkSize: 10, filesInFlight: filesInFlight)
    }

    mutating func offer(_ file: FileID, _ path: String = "a", size: UInt64? = 30) throws(FxferError) -> Answer {
        let attributes = FileAttributes(size: size)
        switch try self.receiver.receive(Offer(file: file, path: Array(path.utf8), attributes: attributes)) {
        case .stage: return .stage
        case .refuse(let failure): return Self.answer(failure)
        }
    }

    mutating func staged(_ file: FileID, _ prefix: FilePrefix = .empty) -> Answer {
        self.receiver.staged(file, prefix).map { .send($0) } ?? .nothing
    }

    mutating func existing(
        _ file: FileID,
        _ content: FilePrefix,
        canRestart: Bool = false,
        decay: Decay? = nil
    ) -> Answer {
        self.receiver.existing(file, content, canRestart: canRestart, decay: decay).map { .send($0) } ?? .nothing
    }

    mutating func same(_ file: FileID) -> Answer {
        self.receiver.same(file).map { .send($0) } ?? .nothing
    }

    mutating func failed(_ file: FileID, _ code: FxferError.Code) -> Answer {
        Self.answer(self.receiver.failed(file, FxferError(code, "failed on purpose")))
    }

    /// The announcement alone.
    mutating func announce(_ file: FileID, at offset: UInt64, length: UInt32 = 10) throws(FxferError) -> Answer {
        switch try self.receiver.receive(Chunk(file: file, offset: offset, length: length)) {
        case .proceed: .proceed
        case .restart(let file): .restart(file)
        case .fill(_, let offset): .fill(upTo: offset)
        case .refuse(let failure): Self.answer(failure)
        }
    }

    func payload() -> Answer {
        switch self.receiver.receivePayload() {
        case .append(let file): .append(file)
        case .discard: .discard
        }
    }

    mutating func payloadEnd() -> Answer {
        switch self.receiver.receivePayloadEnd() {
        case .verify(let file): .verify(file)
        case .discard: .discard
        }
    }

    mutating func compare(_ digest: Digest, claimed: Digest) -> Answer {
        switch self.receiver.verified(digest, claimed: claimed) {
        case .keep(let frame), .rewind(let frame): .send(frame)
        case .refuse(let failure): Self.answer(failure)
        }
    }

    /// A whole chunk; answers what its end, or its announcement where that was refused, leads to.
    mutating func chunk(
        _ file: FileID,
        at offset: UInt64,
        length: UInt32 = 10,
        isDamaged: Bool = false
    ) throws(FxferError) -> Answer {
        let announced = try self.announce(file, at: offset, length: length)
        _ = self.payload()
        guard case .verify = self.payloadEnd() else {
            return announced == .proceed ? .discard : announced
        }
        let claimed = Digest.standIn(at: offset + UInt64(length))
        return self.compare(isDamaged ? .standIn(at: .max) : claimed, claimed: claimed)
    }

    mutating func finish(_ file: FileID, _ content: FilePrefix) throws(FxferError) -> Answer {
        self.take(try self.receiver.receive(Finish(file: file, content: content)))
    }

    mutating func repair(_ file: FileID) throws(FxferError) -> Answer {
        switch try self.receiver.receive(Repair(file: file)) {
        case .stage: .stage
        case .discard: .discard
        }
    }

    mutating func filled(_ file: FileID, _ content: FilePrefix) -> Answer {
        self.take(self.receiver.filled(file, content))
    }

    private mutating func take(_ action: Receiver.FinishAction) -> Answer {
        switch action {
        case .commit(let content):
            self.commits.append(content)
            return .commit(content)
        case .refuse(let failure):
            return Self.answer(failure)
        case .discard:
            return .discard
        case .fill(let end):
            return .fill(upTo: end)
        case .rewind(let frame):
            return .send(frame)
        }
    }

    mutating func committed(_ file: FileID, _ outcome: Receipt.Outcome = .stored) -> Answer {
        .send(.receipt(self.receiver.committed(file, outcome)))
    }

    mutating func cancel(_ file: FileID) throws(FxferError) -> Answer {
        switch try self.receiver.receive(cancel: FileFailure(file: file, FxferError(.cancelled, "stop"))) {
        case .discard: .discard
        case .forget: .forget
        }
    }

    private static func answer(_ failure: FileFailure) -> Answer {
        .refuse(failure.file, failure.code.errorCode)
    }
}

extension ReceiverScript.Answer {
    static func accept(_ file: FileID, _ prefix: FilePrefix = .empty, _ decay: Decay? = nil) -> Self {
        .send(.accept(Accept(file: file, prefix: prefix, decay: decay)))
    }

    static func confirm(_ file: FileID, _ offset: UInt64) -> Self {
        .send(.confirm(FilePosition(file: file, offset: offset)))
    }

    static func rewind(_ file: FileID, to offset: UInt64) -> Self {
        .send(.rewind(FilePosition(file: file, offset: offset)))
    }
}
