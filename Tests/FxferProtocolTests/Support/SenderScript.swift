import FxferProtocol

/// Leads a ``Sender`` as its owner does, by short words. Chunks have 10 bytes; digests are stand-ins.
struct SenderScript {
    var sender: Sender

    /// A step without its values that cannot be compared.
    enum Next: Equatable {
        case wait, awaitReceipt, restart, finish, done, same, repair
        case skip(UInt64)
        case hashPrefix(UInt64)
        case rewind(UInt64)
        case read(UInt64, Int)
        case refused(FxferError.Code)
    }

    init(filesInFlight: UInt16 = 4) {
        self.sender = Sender(chunkSize: 10, filesInFlight: filesInFlight)
    }

    /// A sender whose file 1, of `size` bytes, was accepted from its beginning on.
    init(accepted size: UInt64?) throws {
        self.init()
        _ = try self.offer(size: size)
        try self.accept(1)
    }

    mutating func offer(_ path: String = "a", size: UInt64?, _ comparison: Comparison = .afterwards) throws -> Offer {
        let modified = comparison == .bySizeAndTime ? FileTime(seconds: 1_700_000_000, nanoseconds: 1) : nil
        let attributes = FileAttributes(size: size, modified: modified)
        return self.sender.offer(try RelativePath(bytes: Array(path.utf8)), attributes, comparison)
    }

    mutating func accept(_ file: FileID, _ prefix: FilePrefix = .empty, _ decay: Decay? = nil) throws(FxferError) {
        try self.sender.receive(Accept(file: file, prefix: prefix, decay: decay))
    }

    mutating func confirm(_ file: FileID, _ offset: UInt64) throws(FxferError) {
        try self.sender.receive(confirm: FilePosition(file: file, offset: offset))
    }

    mutating func rewind(_ file: FileID, to offset: UInt64) throws(FxferError) {
        try self.sender.receive(rewind: FilePosition(file: file, offset: offset))
    }

    mutating func refuse(_ file: FileID, _ code: FxferError.Code) throws(FxferError) {
        try self.sender.receive(refuse: FileFailure(file: file, FxferError(code, "refused on purpose")))
    }

    mutating func receipt(_ file: FileID, _ content: FilePrefix, _ path: String = "a") throws(FxferError) {
        try self.sender.receive(Receipt(file: file, outcome: .stored, content: content, path: Array(path.utf8)))
    }

    mutating func same(_ file: FileID) throws(FxferError) {
        try self.sender.receive(Same(file: file))
    }

    mutating func reading(_ file: FileID, _ length: UInt64) throws(FxferError) {
        try self.sender.receive(Reading(file: file, length: length))
    }

    /// Reports that the first `length` bytes of the source were hashed.
    mutating func hashed(_ length: UInt64, _ digest: Digest? = nil) {
        let prefix = FilePrefix(length: length, digest: digest ?? .standIn(at: length))
        self.sender.prefixHashed(1, prefix)
    }

    mutating func next(_ file: FileID = 1) -> Next {
        switch self.sender.nextStep(of: file) {
        case .wait: .wait
        case .awaitReceipt: .awaitReceipt
        case .hashPrefix(let length): .hashPrefix(length)
        case .restart: .restart
        case .repair: .repair
        case .skip(let offset): .skip(offset)
        case .rewind(let offset): .rewind(offset)
        case .read(let offset, let count): .read(offset, count)
        case .finish: .finish
        case .done: .done
        case .same: .same
        case .refused(let error): .refused(error.code)
        }
    }

    /// Reports that `count` bytes were read at `offset`.
    mutating func read(_ file: FileID = 1, at offset: UInt64, _ count: UInt64) -> Chunk? {
        self.sender.chunkRead(file, at: offset, .standIn(offset + count))
    }

    /// Does what is to be done until the machine waits; answers the frames that go out.
    mutating func advance(_ file: FileID = 1, sourceSize: UInt64) -> [Frame] {
        var frames: [Frame] = []
        while true {
            switch self.next(file) {
            case .read(let offset, let count):
                let chunk = self.read(file, at: offset, min(UInt64(count), sourceSize - offset))
                frames += chunk.map { [.chunk($0)] } ?? []
            case .finish:
                frames += self.sender.finish(file).map { [.finish($0)] } ?? []
            case .restart, .rewind, .repair:
                continue
            case .skip(let offset):
                self.sender.skipped(file, to: offset)
            default:
                return frames
            }
        }
    }

    mutating func cancel(_ file: FileID, _ code: FxferError.Code = .sourceChanged) -> WireCode? {
        guard case .cancel(let failure) = self.sender.cancel(file, FxferError(code, "given up")) else { return nil }
        return failure.code
    }
}

extension [Frame] {
    /// The frames of a file of `size` bytes from `offset` on.
    static func sending(_ file: FileID = 1, from offset: UInt64 = 0, size: UInt64) -> [Frame] {
        let chunks = stride(from: offset, to: size, by: 10).map {
            Frame.chunk(Chunk(file: file, offset: $0, length: UInt32(Swift.min(10, size - $0))))
        }
        return chunks + [.finish(Finish(file: file, content: .standIn(size)))]
    }
}
