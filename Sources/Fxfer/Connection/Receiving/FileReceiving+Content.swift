import FxferProtocol
import FxferStorage
import NIOCore

/// How a file's content comes in.
extension FileReceiving {
    func handleChunk(_ chunk: Chunk) async throws {
        await self.waitForStaging(of: chunk.file)
        switch try self.receiving.receiver.receive(chunk) {
        case .proceed:
            break
        case .restart(let file):
            self.restart(file)
        case .fill(let file, let offset):
            _ = await self.fill(file, upTo: offset)
        case .refuse(let failure):
            await self.refuse(failure)
        }
    }

    private func restart(_ file: FileID) {
        self.receiving.files[file]?.resumedAt = 0
        self.receiving.files[file]?.verified = 0
        switch self.incoming(file).content {
        case .staged(let staged):
            staged.restart()
        case .existing(_, .some(let staged), _):
            self.receiving.files[file]?.content = .staged(staged)
        case .existing(_, nil, _), .unknown:
            preconditionFailure("the machine restarts only what can be restarted")
        }
    }

    /// Stores payload where that takes no file call; false where ``handlePayload(_:)`` has to.
    func takePayload(_ bytes: ByteBuffer) -> Bool {
        guard self.limiter == nil else { return false }
        guard case .append(let file) = self.receiving.receiver.receivePayload() else { return true }
        return self.staged(file).appendInMemory(bytes)
    }

    func handlePayload(_ bytes: ByteBuffer) async throws {
        guard case .append(let file) = self.receiving.receiver.receivePayload() else { return }
        let staged = self.staged(file)
        let pieces = self.gather(bytes)
        do {
            try await self.working {
                if let pause = self.limiter?.pause(before: bytes.readableBytes) {
                    try await Task.sleep(for: pause)
                }
                // What goes to memory comes alone.
                if pieces.count > 1 || !staged.appendInMemory(bytes) {
                    try await staged.append(pieces)
                }
            }
        } catch let error as FxferError {
            await self.refuse(self.receiving.receiver.failed(file, error))
        }
    }

    /// When no more is added to what goes to the disk in one job: 1 MiB.
    private static var enoughForJob: Int { 1_048_576 }

    /// The payload and what else is here already of the same chunk: so the disk gets in one job what came in while it
    /// had the last one. (A rate limit is for pieces as they come.)
    private func gather(_ first: ByteBuffer) -> [ByteBuffer] {
        var pieces = [first]
        guard self.limiter == nil else { return pieces }
        var count = first.readableBytes
        while count < Self.enoughForJob, let next = self.nextPayload() {
            pieces.append(next)
            count += next.readableBytes
        }
        return pieces
    }

    func handlePayloadEnd(_ claimed: Digest) async throws {
        guard case .verify(let file) = self.receiving.receiver.receivePayloadEnd() else { return }
        let staged = self.staged(file)
        switch self.receiving.receiver.verified(staged.runningDigest(), claimed: claimed) {
        case .keep(let frame):
            staged.keep()
            self.wire.write(frame)
            self.noteProgress(file, of: self.incoming(file), verified: staged.position)
            self.receiving.files[file]?.verified = staged.position
        case .rewind(let frame):
            self.rewind(file, frame)
        case .refuse(let failure):
            let incoming = self.incoming(file)
            self.noteDamaged(incoming, at: incoming.verified, isGivenUp: true)
            await self.refuse(failure)
        }
    }

    /// Goes back to what is verified.
    func rewind(_ file: FileID, _ frame: Frame) {
        let staged = self.staged(file)
        staged.rewind()
        self.receiving.files[file]?.repairs += 1
        self.noteDamaged(self.incoming(file), at: staged.position, isGivenUp: false)
        self.wire.write(frame)
    }

    func staged(_ file: FileID) -> Directory.Staged {
        guard case .staged(let staged) = self.incoming(file).content else {
            preconditionFailure("the machine takes data for staged files only")
        }
        return staged
    }
}
