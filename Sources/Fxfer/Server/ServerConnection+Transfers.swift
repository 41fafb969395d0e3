import FxferProtocol
import FxferStorage
import NIOCore

/// What the frames of a file lead to: each method asks the machine, carries its action out, and reports the result.
extension ServerConnection {
    func handleOffer(_ offer: Offer) async throws {
        switch try self.receiver.receive(offer) {
        case .stage(let path):
            let began = NIODeadline.now()
            do {
                // What is at most one chunk may be on its way already, so no prefix is offered for it.
                let limit = UInt64(self.receiver.chunkSize)
                let staging = try await self.working {
                    try await self.store.stage(path, offer.attributes, comparingAbove: limit)
                }
                self.files[offer.file] = Transfer(path: path, began: began, staging: staging)
                try await self.wire.send(self.accept(offer.file, staging))
            } catch let error as FxferError {
                self.log.refused(path.description, error)
                try await self.refuse(self.receiver.failed(offer.file, error))
            }
        case .refuse(let failure):
            self.log.refused(offer.pathText, failure.error)
            try await self.refuse(failure)
        }
    }

    private func accept(_ file: FileID, _ staging: Staging<Directory.Staged>) -> Frame {
        switch staging {
        case .fresh:
            self.receiver.staged(file)
        case .existing(let existing):
            self.receiver.existing(file, FilePrefix(length: existing.size, digest: existing.digest))
        }
    }

    func handleChunk(_ chunk: Chunk) async throws {
        switch try self.receiver.receive(chunk) {
        case .proceed: break
        case .refuse(let failure): try await self.refuse(failure)
        }
    }

    func handlePayload(_ bytes: ByteBuffer) async throws {
        if self.idle.tookPayload(now: .now()) {
            self.wire.write(.alive)
            self.wire.flush()
        }
        guard case .append(let file) = self.receiver.receivePayload() else { return }
        do {
            let staged = self.stagedFile(file)
            try await self.working { try await staged.append(bytes) }
        } catch let error as FxferError {
            try await self.refuse(self.receiver.failed(file, error))
        }
    }

    func handlePayloadEnd(_ claimed: Digest) async throws {
        guard case .verify(let file) = self.receiver.receivePayloadEnd() else { return }
        let staged = self.stagedFile(file)
        switch self.receiver.verified(staged.runningDigest(), claimed: claimed) {
        case .keep(let frame):
            staged.keep()
            try await self.wire.send(frame)
        case .rewind(let frame):
            staged.rewind()
            self.log.damaged(self.transfer(file).path, at: staged.position)
            try await self.wire.send(frame)
        case .refuse(let failure):
            try await self.refuse(failure)
        }
    }

    func handleFinish(_ finish: Finish, _ commits: inout ThrowingDiscardingTaskGroup<any Error>) async throws {
        switch try self.receiver.receive(finish) {
        case .commit(let content):
            let transfer = self.transfer(finish.file)
            self.commits += 1
            commits.addTask { try await self.commit(finish.file, transfer, content) }
        case .refuse(let failure):
            try await self.refuse(failure)
        case .discard:
            break
        }
    }

    /// Makes a verified file durable under its name, and only then sends its receipt.
    private func commit(_ file: FileID, _ transfer: Transfer, _ content: FilePrefix) async throws {
        defer {
            self.commits -= 1
            self.endIfDue()
        }
        do {
            let outcome = try await self.working { try await transfer.publish() }
            self.files[file] = nil
            self.log.stored(transfer.path, content, outcome, since: transfer.began)
            let receipt = self.receiver.committed(file, outcome)
            try await self.wire.send(receipt)
        } catch let error as FxferError {
            try await self.refuse(self.receiver.failed(file, error))
        }
    }

    func handleCancel(_ cancel: FileFailure) async throws {
        if case .discard(let error) = try self.receiver.receive(cancel: cancel) {
            await self.discard(cancel.file, error)
        }
        self.endIfDue()
    }

    /// Discards what is held of every file: the connection is over.
    func discardAll(_ error: FxferError) async {
        for file in self.files.keys.sorted() {
            await self.discard(file, error)
        }
    }

    private func refuse(_ failure: FileFailure) async throws {
        await self.discard(failure.file, failure.error)
        try await self.wire.send(.refuse(failure))
    }

    private func discard(_ file: FileID, _ error: FxferError) async {
        guard let transfer = self.files.removeValue(forKey: file) else { return }
        switch transfer.staging {
        case .fresh(let staged):
            self.log.failed(transfer.path, after: staged.position, error, since: transfer.began)
            await staged.discard()
        case .existing:
            self.log.failed(transfer.path, after: 0, error, since: transfer.began)
        }
    }

    private func transfer(_ file: FileID) -> Transfer {
        guard let transfer = self.files[file] else {
            preconditionFailure("the machine acts on open files only")
        }
        return transfer
    }

    private func stagedFile(_ file: FileID) -> Directory.Staged {
        guard case .fresh(let staged) = self.transfer(file).staging else {
            preconditionFailure("the machine takes data for staged files only")
        }
        return staged
    }

    /// Runs file work during which the client has to wait for this side.
    private func working<Result: Sendable>(_ body: () async throws -> Result) async rethrows -> Result {
        self.work += 1
        defer { self.work -= 1 }
        return try await body()
    }
}

extension ServerConnection.Transfer {
    /// Makes the file durable under its name.
    fileprivate func publish() async throws -> Receipt.Outcome {
        switch self.staging {
        case .fresh(let staged):
            switch try await staged.publish() {
            case .stored: return .stored
            case .identical: return .identical
            }
        case .existing(let existing):
            try await existing.confirmDurable()
            return .identical
        }
    }
}
