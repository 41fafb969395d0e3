import FxferProtocol
import NIOCore

/// A client without socket and disk: carries out what the machines ask for, with real digests.
struct MemoryClient {
    /// A file to send.
    struct Source {
        let path: [UInt8]
        let content: [UInt8]
        /// What is announced.
        let attributes: FileAttributes
        let comparison: Comparison
        /// Running digests at the places where chunks of 64 KiB end, computed once.
        private let digests: [UInt64: Digest]

        init(
            _ path: String,
            _ content: [UInt8],
            _ attributes: FileAttributes? = nil,
            _ comparison: Comparison = .afterwards
        ) {
            self.path = Array(path.utf8)
            self.content = content
            self.comparison = comparison
            self.attributes = attributes ?? FileAttributes(size: UInt64(content.count))
            let hash = RunningHash()
            var digests: [UInt64: Digest] = [0: .ofNothing]
            for start in stride(from: 0, to: content.count, by: 65_536) {
                let end = min(start + 65_536, content.count)
                content.withUnsafeBytes { hash.update(.init(rebasing: $0[start..<end])) }
                digests[UInt64(end)] = hash.digest()
            }
            self.digests = digests
        }

        /// The file's beginning; of no use where it is longer than the file.
        func prefix(_ length: UInt64) -> FilePrefix {
            guard length <= self.content.count else { return .standIn(length) }
            let digest = self.digests[length] ?? Digest(ofContent: self.content.prefix(Int(length)))
            return FilePrefix(length: length, digest: digest)
        }
    }

    private let sources: [Source]
    private var handshake: ClientHandshake
    private var decoder = FrameDecoder()
    private var output = ByteBuffer()
    private var sender: Sender?
    private var open: [FileID: Source] = [:]
    private var offered = 0
    private var isGoodbyeSaid = false

    /// What is stored, by path.
    private(set) var receipts: [[UInt8]: Receipt] = [:]
    /// What the server says it has already.
    private(set) var same: Set<[UInt8]> = []
    /// What is not, by path.
    private(set) var failures: [[UInt8]: FxferError.Code] = [:]
    /// Why the connection ended.
    private(set) var failure: FxferError.Code?

    init(_ sources: [Source], chunkSize: UInt32 = 65_536, nonce: Nonce = Nonce(repeating: 0x11)) {
        self.sources = sources
        self.handshake = ClientHandshake(chunkSize: chunkSize, nonce: nonce)
        self.output.writeBytes(Preamble.bytes)
        Frame.hello(self.handshake.hello).write(into: &self.output)
    }

    mutating func takeOutput() -> ByteBuffer {
        defer { self.output = ByteBuffer() }
        return self.output
    }

    mutating func receive(_ bytes: ByteBuffer) {
        guard self.failure == nil else { return }
        self.decoder.append(bytes)
        do throws(FxferError) {
            while self.failure == nil, let event = try self.decoder.next() {
                guard case .frame(let frame) = event else {
                    throw FxferError(.protocolViolation, "file content was not asked for")
                }
                try self.handle(frame)
            }
        } catch {
            self.failure = error.code
            Frame.error(SessionFailure(error)).write(into: &self.output)
        }
    }

    private mutating func handle(_ frame: Frame) throws(FxferError) {
        switch frame {
        case .alive: break
        case .error(let failure): self.failure = failure.error.code
        case _ where self.sender == nil:
            guard case .begin(let welcome) = try self.handshake.receive(frame) else {
                preconditionFailure("this client has no token")
            }
            self.sender = Sender(chunkSize: welcome.chunkSize, filesInFlight: welcome.filesInFlight)
        case .accept(let accept): try self.sender?.receive(accept)
        case .confirm(let position): try self.sender?.receive(confirm: position)
        case .rewind(let position): try self.sender?.receive(rewind: position)
        case .refuse(let failure): try self.sender?.receive(refuse: failure)
        case .receipt(let receipt): try self.sender?.receive(receipt)
        case .same(let same): try self.sender?.receive(same)
        case .reading(let reading): try self.sender?.receive(reading)
        default: throw FxferError(.protocolViolation, "\(frame.type) is out of order")
        }
    }

    /// Does all that can be done before the next answer, one step of each open file in turn.
    mutating func advance() {
        guard self.failure == nil, self.sender != nil else { return }
        var isBusy = true
        while isBusy {
            isBusy = self.offerNext()
            for file in self.open.keys.sorted() {
                isBusy = self.step(file) || isBusy
            }
        }
        if self.offered == self.sources.count, self.open.isEmpty, !self.isGoodbyeSaid {
            self.isGoodbyeSaid = true
            Frame.bye.write(into: &self.output)
        }
    }

    private mutating func offerNext() -> Bool {
        guard self.offered < self.sources.count, self.sender?.canOffer == true else { return false }
        let source = self.sources[self.offered]
        self.offered += 1
        guard let path = try? RelativePath(bytes: source.path),
            let offer = self.sender?.offer(path, source.attributes, source.comparison)
        else { preconditionFailure("a test sends good names") }
        self.open[offer.file] = source
        Frame.offer(offer).write(into: &self.output)
        return true
    }

    /// Answers false where the file waits.
    private mutating func step(_ file: FileID) -> Bool {
        guard let source = self.open[file], let step = self.sender?.nextStep(of: file) else { return false }
        switch step {
        case .wait, .awaitReceipt:
            return false
        case .restart, .rewind:
            break
        case .repair(let repair):
            Frame.repair(repair).write(into: &self.output)
        case .skip(let offset):
            self.sender?.skipped(file, to: offset)
        case .hashPrefix(let length):
            self.sender?.prefixHashed(file, source.prefix(length))
        case .read(let offset, let count):
            self.sendChunk(file, source, at: offset, count)
        case .finish:
            if let finish = self.sender?.finish(file) { Frame.finish(finish).write(into: &self.output) }
        case .same:
            self.same.insert(source.path)
            self.open[file] = nil
            self.sender?.close(file)
        case .done(let receipt):
            self.receipts[source.path] = receipt
            self.open[file] = nil
            self.sender?.close(file)
        case .refused(let error):
            self.failures[source.path] = error.code
            self.open[file] = nil
            self.sender?.cancel(file, error)?.write(into: &self.output)
        }
        return true
    }

    private mutating func sendChunk(_ file: FileID, _ source: Source, at offset: UInt64, _ count: Int) {
        let end = min(offset + UInt64(count), UInt64(source.content.count))
        let prefix = source.prefix(end)
        guard let chunk = self.sender?.chunkRead(file, at: offset, prefix) else { return }
        Frame.chunk(chunk).write(into: &self.output)
        self.output.writeBytes(source.content[Int(offset)..<Int(end)])
        self.output.writeBytes(prefix.digest.bytes)
    }
}
