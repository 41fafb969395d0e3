import FxferProtocol
import FxferStorage
import NIOCore

/// The receiving half of a connection: what the frames of a file lead to. Each method asks the machine, carries its
/// action out, and reports the result.
///
/// All of it runs on the connection's event loop; file work runs on the store's threads. What is in memory is handled
/// at once; a file call is waited for before the next frame is looked at, so that a slow disk stops the reading of the
/// socket. Staging and publishing alone go on beside.
protocol FileReceiving: WireConnection {
    associatedtype Directory: Store

    var store: Directory { get }
    var receiving: ReceivingState<Directory.Staged> { get set }
    /// Who sends, for the store's records.
    var origin: Origin { get }

    /// The next payload of the chunk of which the last one was, where it is here already.
    func nextPayload() -> ByteBuffer?
    /// Payload came in and is stored.
    func noteProgress(_ file: FileID, of incoming: IncomingFile<Directory.Staged>, verified: UInt64)
    /// A chunk arrived damaged. It is asked for again, unless that was done too often, and the file is given up.
    func noteDamaged(_ incoming: IncomingFile<Directory.Staged>, at offset: UInt64, isGivenUp: Bool)
    /// A file is durable under its name; its receipt follows.
    func noteStored(
        _ file: FileID,
        _ incoming: IncomingFile<Directory.Staged>,
        _ content: FilePrefix,
        _ publication: Publication
    )
    /// A file was there with that size and time, and was not read.
    func noteSame(_ file: FileID, _ incoming: IncomingFile<Directory.Staged>)
    /// A file ended without being stored, after that many bytes.
    func noteFailed(
        _ file: FileID,
        _ incoming: IncomingFile<Directory.Staged>,
        after bytes: UInt64,
        _ error: FxferError
    )
    /// The sender is told that this side does not take the file.
    func noteRefused(_ error: FxferError)
    /// A file ended; perhaps it was the last.
    func noteFileEnded()
    /// The path that a receipt names; nil for the offered one, whatever the file is called here.
    func receiptPath(of publication: Publication) -> RelativePath?
    /// Signs the receipt of a file, where that was agreed on.
    func sign(_ receipt: inout Receipt, _ stored: StoredEntry)
}

// MARK: - The end of a file

extension FileReceiving {
    func handleCancel(_ cancel: FileFailure) async throws {
        if case .discard(let error) = try self.receiving.receiver.receive(cancel: cancel) {
            await self.discard(cancel.file, error)
        }
        self.noteFileEnded()
    }

    /// Ends every file that is not being published: the connection is over.
    func discardAll(_ error: FxferError) async {
        for file in self.receiving.files.keys.sorted() {
            await self.discard(file, error)
        }
    }

    /// Ends a file without storing it.
    func discard(_ file: FileID, _ error: FxferError) async {
        guard let incoming = self.receiving.files.removeValue(forKey: file) else { return }
        self.noteFailed(file, incoming, after: incoming.staged?.position ?? 0, error)
        await incoming.staged?.discard(keepingPartial: error.leavesPartial)
    }

    /// Discards what is held of a file, and then tells the sender that it ends here.
    func refuse(_ failure: FileFailure) async {
        await self.discard(failure.file, failure.error)
        self.noteRefused(failure.error)
        self.wire.write(.refuse(failure))
    }

    /// Sends what was written, after a round of events.
    func flush() {
        self.publishFolders()
        self.wire.flushAnswers()
    }

    func incoming(_ file: FileID) -> IncomingFile<Directory.Staged> {
        guard let incoming = self.receiving.files[file] else {
            preconditionFailure("the machine acts on open files only")
        }
        return incoming
    }
}

extension IncomingFile {
    /// The staged file, where there is one.
    var staged: Staged? {
        switch self.content {
        case .unknown: nil
        case .staged(let staged): staged
        case .existing(_, let otherwise, _): otherwise
        }
    }
}

extension FxferError {
    /// Whether a file that ends with this error may be gone on with later: nothing is wrong with it itself.
    var leavesPartial: Bool {
        switch self.code {
        case .connectionLost, .timedOut, .shuttingDown, .busy, .cancelled, .protocolViolation, .limitExceeded:
            true
        default:
            false
        }
    }
}
