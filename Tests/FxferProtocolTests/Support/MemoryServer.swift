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
        /// What is repaired with it.
        var base: DecayedContent?

        mutating func append(_ more: UnsafeRawBufferPointer) {
            self.bytes.append(contentsOf: more)
            self.hash.update(more)
        }

        /// Takes from the base what is missing up to `end`.
        mutating func fill(upTo end: UInt64) {
            let missing = self.base?.bytes[self.bytes.count..<Int(end)] ?? []
            missing.withUnsafeBytes { self.append($0) }
        }

        mutating func rewind() {
            self.bytes.removeLast(self.bytes.count - self.keptCount)
            self.hash = self.keptHash.copy()
        }
    }

    /// A stored file that has other bytes now than it was stored with.
    struct DecayedContent {
        let bytes: [UInt8]
        /// What it was stored with, and what is said of the damage.
        let decay: Decay
    }

    /// What is stored under which path, as it was hashed when it was stored.
    private(set) var published: [[UInt8]: FilePrefix]
    /// The bytes of that, as far as they came over this connection.
    private(set) var contents: [[UInt8]: [UInt8]] = [:]
    /// What of that has decayed, and is repaired by whoever has what it was stored with.
    private(set) var decayed: [[UInt8]: DecayedContent]
    /// How many files were repaired.
    private(set) var repairs = 0
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

    /// - Parameters:
    ///   - decayed: what exists, too, by path.
    ///   - refusal: why every offer is refused, nil where they are not.
    init(
        existing: [[UInt8]: FilePrefix] = [:],
        decayed: [[UInt8]: DecayedContent] = [:],
        filesInFlight: UInt16 = 256,
        nonce: Nonce = Nonce(repeating: 0x22),
        refusal: FxferError? = nil
    ) {
        self.published = existing.merging(decayed.mapValues { FilePrefix(ofContent: $0.bytes) }) { $1 }
        self.decayed = decayed
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
        case .frame(.repair(let repair)): try self.handle(repair)
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
                content.length > self.chunkSize || offer.comparison != .afterwards
            {
                let decay = self.decayed[path.bytes]?.decay
                self.receiver.existing(offer.file, content, canRestart: false, decay: decay)?.write(into: &self.output)
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
        case .fill(let file, let end): self.staged[file]?.fill(upTo: end)
        case .refuse(let failure): self.refuse(failure)
        }
    }

    private mutating func handle(_ repair: Repair) throws(FxferError) {
        guard case .stage = try self.receiver.receive(repair) else { return }
        var staged = Staged()
        staged.base = self.paths[repair.file].flatMap { self.decayed[$0] }
        self.staged[repair.file] = staged
        #expect(staged.base != nil, "only what has decayed is repaired")
    }

    private mutating func handle(payload: ByteBuffer) {
        guard case .append(let file) = self.receiver.receivePayload() else { return }
        payload.withUnsafeReadableBytes { self.staged[file]?.append($0) }
    }

    private mutating func handle(payloadEnd claimed: Digest) {
        guard case .verify(let file) = self.receiver.receivePayloadEnd(), var staged = self.staged[file] else { return }
        switch self.receiver.verified(staged.hash.digest(), claimed: claimed) {
        case .keep(let frame):
            staged.keptCount = staged.bytes.count
            staged.keptHash = staged.hash.copy()
            frame.write(into: &self.output)
        case .rewind(let frame):
            staged.rewind()
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
        self.take(try self.receiver.receive(finish), of: finish.file)
    }

    private mutating func take(_ action: Receiver.FinishAction, of file: FileID) {
        switch action {
        case .commit(let content): self.commit(file, content)
        case .refuse(let failure): self.refuse(failure)
        case .discard: break
        case .fill(let end):
            self.staged[file]?.fill(upTo: end)
            let content = FilePrefix(ofContent: self.staged[file]?.bytes ?? [])
            self.take(self.receiver.filled(file, content), of: file)
        case .rewind(let frame):
            self.staged[file]?.rewind()
            self.rewinds += 1
            frame.write(into: &self.output)
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
        let staged = self.staged.removeValue(forKey: file)
        guard let held = staged.map({ FilePrefix(ofContent: $0.bytes) }) ?? existing else { return }
        #expect(held == content, "only what was verified is committed")
        #expect(throws: Never.self, "only good names are committed") { try RelativePath(bytes: path) }
        if let base = staged?.base {
            #expect(held == FilePrefix(length: UInt64(base.bytes.count), digest: base.decay.digest), "as it was stored")
        }
        defer { if self.published[path] == held, let staged { self.contents[path] = staged.bytes } }
        if let decayed = self.decayed[path], decayed.decay.digest == held.digest {
            self.decayed[path] = nil
            self.published[path] = held
            self.repairs += 1
            let receipt = self.receiver.committed(file, .replaced, repairedChunks: decayed.decay.chunkCount)
            Frame.receipt(receipt).write(into: &self.output)
        } else if let existing, existing != held {
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
