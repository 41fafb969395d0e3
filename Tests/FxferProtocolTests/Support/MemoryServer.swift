import FxferProtocol
import NIOCore
import Testing

/// A server without socket and disk: carries out what the machines answer, with real digests.
///
/// A commit is done at once. What it would publish is compared with what the machine says was verified, each time.
struct MemoryServer {
    private enum Phase {
        case greeting, serving, closed
    }

    /// A file on its way in.
    private struct Staged {
        var bytes: [UInt8] = []
        var hash = RunningHash()
        var keptCount = 0
        var keptHash = RunningHash()
    }

    /// What is stored under which path, as it was hashed when it was stored.
    private(set) var published: [[UInt8]: FilePrefix]
    /// The folders that were sent themselves.
    private(set) var folders: Set<[UInt8]> = []
    /// What went out and was not taken yet.
    private var output = ByteBuffer()
    /// The code of the ERROR that ended the connection.
    private(set) var failure: FxferError.Code?
    private(set) var refusals: [FxferError.Code] = []
    private(set) var rewinds = 0
    private(set) var isGoodbyeSaid = false

    private let nonce: Nonce
    private let filesInFlight: UInt16
    private let refusal: FxferError?
    private var phase = Phase.greeting
    private var decoder = FrameDecoder()
    private var receiver: Receiver
    private var chunkSize: UInt32 = 0
    private var paths: [FileID: [UInt8]] = [:]
    private var openFolders: Set<FileID> = []
    private var staged: [FileID: Staged] = [:]

    /// - Parameter refusal: why every offer is refused, nil where they are not.
    init(
        existing: [[UInt8]: FilePrefix] = [:],
        filesInFlight: UInt16 = 256,
        nonce: Nonce = Nonce(repeating: 0x22),
        refusal: FxferError? = nil
    ) {
        self.published = existing
        self.filesInFlight = filesInFlight
        self.nonce = nonce
        self.refusal = refusal
        self.receiver = Receiver(chunkSize: Chunk.defaultSize, filesInFlight: filesInFlight)
    }

    mutating func takeOutput() -> ByteBuffer {
        defer { self.output = ByteBuffer() }
        return self.output
    }

    /// Takes bytes from the client. A connection that is closed takes and forgets them.
    mutating func receive(_ bytes: ByteBuffer) {
        guard self.phase != .closed else { return }
        self.decoder.append(bytes)
        do throws(FxferError) {
            while self.phase != .closed, let event = try self.decoder.next() {
                try self.handle(event)
            }
        } catch {
            self.fail(error)
        }
    }

    private mutating func fail(_ error: FxferError) {
        if self.phase == .greeting {
            self.output.writeBytes(Preamble.bytes)
        }
        Frame.error(SessionFailure(error)).write(into: &self.output)
        self.failure = error.code
        self.phase = .closed
        self.staged = [:]
    }

    private mutating func handle(_ event: WireEvent) throws(FxferError) {
        switch event {
        case .frame(let frame) where self.phase == .greeting: try self.greet(frame)
        case .frame(.offer(let offer)): try self.handle(offer)
        case .frame(.chunk(let chunk)): try self.handle(chunk)
        case .frame(.finish(let finish)): try self.handle(finish)
        case .frame(.cancel(let cancel)): try self.handle(cancel: cancel)
        case .frame(.get(let get)): Self.refuse(get).write(into: &self.output)
        case .frame(.list(let list)): Self.refuse(list).write(into: &self.output)
        case .frame(.alive): break
        case .frame(.error): self.phase = .closed
        case .frame(.bye):
            self.isGoodbyeSaid = true
            self.phase = .closed
        case .frame(let frame): throw FxferError(.protocolViolation, "\(frame.type) is out of order")
        case .payload(let bytes): self.handle(payload: bytes)
        case .payloadEnd(let digest): self.handle(payloadEnd: digest)
        }
    }

    private mutating func greet(_ frame: Frame) throws(FxferError) {
        var handshake = ServerHandshake(filesInFlight: self.filesInFlight)
        guard case .begin(let welcome) = try handshake.receive(frame, nonce: self.nonce) else {
            preconditionFailure("this server takes no tokens")
        }
        self.receiver = Receiver(chunkSize: welcome.chunkSize, filesInFlight: welcome.filesInFlight)
        if let refusal { self.receiver.refuseOffers(refusal) }
        self.chunkSize = welcome.chunkSize
        self.output.writeBytes(Preamble.bytes)
        Frame.welcome(welcome).write(into: &self.output)
        self.phase = .serving
    }

    private mutating func handle(_ offer: Offer) throws(FxferError) {
        switch try self.receiver.receive(offer) {
        case .refuse(let failure):
            self.refuse(failure)
        case .stage(let path):
            self.paths[offer.file] = path.bytes
            if offer.attributes.isFolder { self.openFolders.insert(offer.file) }
            if let content = self.published[path.bytes], offer.attributes.size == content.length,
                content.length > self.chunkSize
            {
                self.receiver.existing(offer.file, content, canRestart: false)?.write(into: &self.output)
            } else {
                self.staged[offer.file] = Staged()
                self.receiver.staged(offer.file)?.write(into: &self.output)
            }
        }
    }

    private mutating func handle(_ chunk: Chunk) throws(FxferError) {
        switch try self.receiver.receive(chunk) {
        case .proceed: break
        case .restart(let file): self.staged[file] = Staged()
        case .fill: preconditionFailure("nothing has decayed here")
        case .refuse(let failure): self.refuse(failure)
        }
    }

    private mutating func handle(payload: ByteBuffer) {
        guard case .append(let file) = self.receiver.receivePayload() else { return }
        payload.withUnsafeReadableBytes { bytes in
            self.staged[file]?.bytes.append(contentsOf: bytes)
            self.staged[file]?.hash.update(bytes)
        }
    }

    private mutating func handle(payloadEnd claimed: Digest) {
        guard case .verify(let file) = self.receiver.receivePayloadEnd(), var staged = self.staged[file] else { return }
        switch self.receiver.verified(staged.hash.digest(), claimed: claimed) {
        case .keep(let frame):
            staged.keptCount = staged.bytes.count
            staged.keptHash = staged.hash.copy()
            frame.write(into: &self.output)
        case .rewind(let frame):
            staged.bytes.removeLast(staged.bytes.count - staged.keptCount)
            staged.hash = staged.keptHash.copy()
            self.rewinds += 1
            frame.write(into: &self.output)
        case .refuse(let failure):
            self.refuse(failure)
            return
        }
        self.staged[file] = staged
    }

    /// This server shares nothing.
    private static func refuse(_ get: Get) -> Frame {
        .cancel(FileFailure(file: get.file, FxferError(.notPermitted, "nothing is shared")))
    }

    private static func refuse(_ list: List) -> Frame {
        .listed(Listed(listing: list.listing, FxferError(.notPermitted, "nothing is shared")))
    }

    private mutating func handle(_ finish: Finish) throws(FxferError) {
        switch try self.receiver.receive(finish) {
        case .commit(let content): self.commit(finish.file, content)
        case .refuse(let failure): self.refuse(failure)
        case .discard: break
        case .fill, .rewind: preconditionFailure("nothing has decayed here")
        }
    }

    private mutating func commit(_ file: FileID, _ content: FilePrefix) {
        guard let path = self.paths.removeValue(forKey: file) else { return }
        if self.openFolders.remove(file) != nil {
            self.staged[file] = nil
            #expect(content == .empty, "a folder has no content")
            let isNew = self.folders.insert(path).inserted
            let receipt = self.receiver.committed(file, isNew ? .stored : .identical)
            Frame.receipt(receipt).write(into: &self.output)
            return
        }
        let existing = self.published[path]
        guard let held = self.staged.removeValue(forKey: file).map({ FilePrefix(ofContent: $0.bytes) }) ?? existing
        else { return }
        #expect(held == content, "only what was verified is committed")
        #expect(throws: Never.self, "only good names are committed") { try RelativePath(bytes: path) }
        if let existing, existing != held {
            self.refuse(self.receiver.failed(file, FxferError(.exists, "it exists")))
        } else {
            self.published[path] = held
            let receipt = self.receiver.committed(file, existing == nil ? .stored : .identical)
            Frame.receipt(receipt).write(into: &self.output)
        }
    }

    private mutating func handle(cancel: FileFailure) throws(FxferError) {
        _ = try self.receiver.receive(cancel: cancel)
        self.staged[cancel.file] = nil
    }

    private mutating func refuse(_ failure: FileFailure) {
        self.staged[failure.file] = nil
        self.refusals.append(failure.code.errorCode)
        Frame.refuse(failure).write(into: &self.output)
    }
}
