import FxferNetwork
import FxferProtocol
import FxferStorage
import NIOCore

/// A listing on its way in.
struct IncomingListing {
    let folder: Download
    /// What the folder is like, where that is known.
    let attributes: FileAttributes?
    var check: ListingCheck
    var entries: [ListedEntry] = []
}

/// What the server says, and what is told about a file.
extension DownloadConnection {
    func begin(_ welcome: Welcome) throws {
        guard Capabilities(rawValue: welcome.capabilities).contains(.share) else { throw FxferError.notShared }
        let filesInFlight = self.limits.filesInFlight
        self.receiving.receiver = Receiver(chunkSize: welcome.chunkSize, filesInFlight: UInt16(clamping: filesInFlight))
        self.limits.filesInFlight = min(self.limits.filesInFlight, Int(welcome.filesInFlight))
        self.wake()
    }

    func receive(_ event: WireEvent) async throws {
        switch event {
        case .payload(let bytes):
            if self.takePayload(bytes) { return }
            if self.client.idle.tookPayload(now: .now()) {
                self.wire.write(.alive)
                self.wire.flush()
            }
            try await self.handlePayload(bytes)
        case .payloadEnd(let digest): try await self.handlePayloadEnd(digest)
        case .frame(.offer(let offer)): try await self.receive(offer)
        case .frame(.chunk(let chunk)): try await self.handleChunk(chunk)
        case .frame(.finish(let finish)): try await self.handleFinish(finish)
        case .frame(.repair(let repair)): try await self.handleRepair(repair)
        case .frame(.cancel(let cancel)): try await self.receive(cancel)
        case .frame(.entry(let entry)): try self.receive(entry)
        case .frame(.listed(let listed)): try self.receive(listed)
        case .frame(let frame):
            throw FxferError(.protocolViolation, "the server sent a frame of type \(frame.type), out of order")
        }
    }

    func nextPayload() -> ByteBuffer? {
        while true {
            if let bytes = self.client.decoder.nextPayload() { return bytes }
            guard self.client.decoder.awaitsPayload, let bytes = self.wire.takeWaitingBytes() else { return nil }
            self.client.idle.heard(now: .now())
            self.client.decoder.append(bytes)
        }
    }

    private func receive(_ offer: Offer) async throws {
        try self.requests.receive(offer)
        await self.waitForPlace()
        switch try self.receiving.receiver.receive(offer) {
        case .stage:
            guard let download = self.open[offer.file] else {
                preconditionFailure("what was asked for is open")
            }
            self.report(.started(download.file(), size: offer.attributes.size))
            // How it is compared, and how durable it becomes here, is not the server's to say: SAME would end nothing.
            var offer = offer
            if offer.comparison == .bySizeAndTime { offer.comparison = .byDigest }
            await self.handleOffer(offer, to: download.destination, .durable)
        case .refuse(let failure):
            await self.refuse(failure)
        }
    }

    private func receive(_ cancel: FileFailure) async throws {
        guard self.requests.receive(cancel: cancel) else {
            return try await self.handleCancel(cancel)
        }
        guard let download = self.open.removeValue(forKey: cancel.file) else { return }
        let error = cancel.error
        switch error.code {
        case .isFolder where self.limits.takesFolders:
            self.queue.putBack(.list(download, nil))
        case .busy, .shuttingDown:
            self.busy = error
            self.left.append(download)
        default:
            self.report(.ended(download.file(), .failure(error)))
        }
        self.finishFolders()
        self.wake()
    }

    private func receive(_ entry: Entry) throws(FxferError) {
        guard self.listing != nil else { throw Self.unasked }
        try self.listing?.check.receive(entry)
        self.listing?.entries.append(ListedEntry(entry))
    }

    private func receive(_ listed: Listed) throws(FxferError) {
        guard let listing = self.listing else { throw Self.unasked }
        try listing.check.receive(listed)
        self.listing = nil
        let folder = listing.folder
        if let error = listed.error {
            self.report(.ended(folder.file(isFolder: true), .failure(error)))
        } else {
            let attributes = listing.attributes ?? listed.folder ?? FileAttributes(isFolder: true)
            self.queue.open(folder, attributes, listing.entries)
        }
        self.wake()
    }

    func connectionFailed(_ error: FxferError) {
        self.wake()
    }

    private static var unasked: FxferError {
        FxferError(.protocolViolation, "the server sent a listing that was not asked for")
    }
}

// MARK: - What is told about a file

extension DownloadConnection {
    func noteProgress(_ file: FileID, of incoming: IncomingFile<Directory.Staged>, verified: UInt64) {
        guard let download = self.open[file] else { return }
        if !self.hasTold.contains(file) {
            self.hasTold.insert(file)
            if incoming.resumedAt > 0 { self.report(.resumed(download.file(), at: incoming.resumedAt)) }
        }
        if self.furthest.note(download.file(), verified) { self.hasProgress = true }
        self.report(.progress(download.file(), verified: verified))
    }

    func noteDamaged(_: IncomingFile<Directory.Staged>, at _: UInt64, isGivenUp _: Bool) {}

    func noteRefused(_: FxferError) {}

    func noteStored(
        _ file: FileID,
        _ incoming: IncomingFile<Directory.Staged>,
        _ content: FilePrefix,
        _ publication: Publication
    ) {
        self.hasProgress = true
        self.end(file, .success(TransferReceipt(content, publication, incoming)))
    }

    func noteSame(_: FileID, _: IncomingFile<Directory.Staged>) {}

    func noteFailed(
        _ file: FileID,
        _: IncomingFile<Directory.Staged>,
        after _: UInt64,
        _ error: FxferError
    ) {
        // Where the connection failed the file is asked for again.
        guard self.client.failure == nil else { return }
        if error.code == .busy, let download = self.open.removeValue(forKey: file) {
            self.busy = error
            self.left.append(download)
            self.finishFolders()
            self.wake()
        } else {
            self.end(file, .failure(error))
        }
    }

    private func end(_ file: FileID, _ result: Result<TransferReceipt, FxferError>) {
        guard let download = self.open.removeValue(forKey: file) else { return }
        self.hasTold.remove(file)
        self.furthest.forget(download.file())
        self.report(.ended(download.file(), result))
        self.finishFolders()
        self.wake()
    }

    func noteFileEnded() {}

    func receiptPath(of _: Publication) -> RelativePath? { nil }

    /// A client has no key.
    func sign(_: inout Receipt, _: StoredEntry) {}
}

extension Download {
    func file(isFolder: Bool = false) -> TransferFile {
        TransferFile(source: self.source.bytes, destination: self.destination.bytes, isFolder: isFolder)
    }
}

extension TransferReceipt {
    fileprivate init(_ content: FilePrefix, _ publication: Publication, _ incoming: IncomingFile<some StagedFile>) {
        self.init(
            outcome: Outcome(publication.outcome),
            path: publication.path.bytes,
            size: content.length,
            digest: content.digest,
            repairs: incoming.repairs,
            repairedChunks: incoming.repairedChunks(publication).map(Int.init)
        )
    }

    init(folder publication: Publication) {
        self.init(
            outcome: Outcome(publication.outcome),
            path: publication.path.bytes,
            size: 0,
            digest: .ofNothing,
            repairs: 0
        )
    }
}

extension TransferReceipt.Outcome {
    fileprivate init(_ outcome: Publication.Outcome) {
        self =
            switch outcome {
            case .stored: .stored
            case .identical: .identical
            case .replaced: .replaced
            case .repaired: .repaired
            }
    }
}

extension FxferError {
    static var notShared: FxferError {
        FxferError(.notPermitted, "this server does not share its files; its operator may start it with --share")
    }
}
