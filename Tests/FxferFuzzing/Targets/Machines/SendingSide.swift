@testable import FxferProtocol

/// A client without socket and disk, which does what its ``Sender`` asks for bit by bit: reading and hashing take time,
/// and answers come meanwhile.
struct SendingSide {
    /// Chunks of 4 bytes: so little content is many of them.
    static let chunkSize: UInt32 = 4

    struct Source {
        var path: [UInt8]
        var content: [UInt8]
        var attributes: FileAttributes
        var comparison = Comparison.afterwards

        var prefix: FilePrefix { FilePrefix(ofContent: self.content) }
    }

    /// How a file ended.
    enum End {
        case stored(Receipt)
        case same
        case failed(FxferError)
    }

    private enum Job {
        case read(UInt64, Int)
        case hash(UInt64)
        case skip(UInt64)
        case finish
    }

    private struct Open {
        let index: Int
        let memory: MemorySource
        var job: Job?
    }

    var sender: Sender
    let sources: [Source]
    private var next = 0
    private var open: [FileID: Open] = [:]
    var output: [WireItem] = []
    /// By the index of the source.
    private(set) var ends: [Int: End] = [:]

    init(_ sources: [Source], filesInFlight: UInt16) {
        self.sources = sources
        self.sender = Sender(chunkSize: Self.chunkSize, filesInFlight: filesInFlight)
    }

    var openFiles: [FileID] { self.open.keys.sorted() }
    var isDone: Bool { self.next == self.sources.count && self.open.isEmpty }

    /// Takes an answer.
    mutating func receive(_ frame: Frame) throws(FxferError) {
        switch frame {
        case .accept(let accept): try self.sender.receive(accept)
        case .confirm(let position):
            try self.sender.receive(confirm: position)
            self.open[position.file]?.memory.confirm(self.sender.confirmed(position.file))
        case .rewind(let position): try self.sender.receive(rewind: position)
        case .refuse(let failure): try self.sender.receive(refuse: failure)
        case .receipt(let receipt): try self.sender.receive(receipt)
        case .same(let same): try self.sender.receive(same)
        case .reading(let reading): try self.sender.receive(reading)
        default: throw FxferError(.protocolViolation, "no receiver says this")
        }
    }

    /// Offers the next file; false where that is not possible now.
    mutating func offer() throws -> Bool {
        guard self.next < self.sources.count, self.sender.canOffer else { return false }
        let source = self.sources[self.next]
        let offer = self.sender.offer(try RelativePath(bytes: source.path), source.attributes, source.comparison)
        let memory = MemorySource(source.content, isStream: source.attributes.size == nil)
        self.open[offer.file] = Open(index: self.next, memory: memory)
        self.next += 1
        self.output.append(.frame(.offer(offer)))
        return true
    }

    /// Something is wrong with a file's source, which is found out while it is read: not when all is sent, nor before
    /// anything is asked for.
    mutating func cancel(_ file: FileID) {
        guard self.open[file]?.job != nil else { return }
        self.end(file, FxferError(.cancelled, "stopped"))
    }

    private mutating func end(_ file: FileID, _ error: FxferError) {
        guard let open = self.open.removeValue(forKey: file) else { return }
        if let cancel = self.sender.cancel(file, error) { self.output.append(.frame(cancel)) }
        self.ends[open.index] = .failed(error)
    }

    /// Begins with what the machine asks for about a file, or ends what was begun; false where the file waits.
    mutating func step(_ file: FileID) throws(BrokenRule) -> Bool {
        guard let open = self.open[file] else { return false }
        if let job = open.job {
            self.open[file]?.job = nil
            try self.end(job, file, open)
            return true
        }
        let source = self.sources[open.index]
        let step = self.sender.nextStep(of: file)
        if let offset = self.sender.takeResumption(of: file) {
            try require(offset > 0 && offset < source.content.count, "the file is resumed at \(offset)")
            open.memory.confirm(self.sender.confirmed(file))
        }
        switch step {
        case .wait, .awaitReceipt: return false
        case .hashPrefix(let length): self.open[file]?.job = .hash(length)
        case .restart: try open.memory.restart()
        case .repair(let repair):
            self.output.append(.frame(.repair(repair)))
            try open.memory.restart()
        case .rewind(let offset): try open.memory.rewind(to: offset)
        case .skip(let offset): self.open[file]?.job = .skip(offset)
        case .read(let offset, let count):
            try self.check(read: offset, count, file, source)
            self.open[file]?.job = .read(offset, count)
        case .finish: self.open[file]?.job = .finish
        case .same:
            try require(source.comparison == .bySizeAndTime, "a file is the same that was not compared so")
            self.ends[open.index] = .same
            self.open[file] = nil
            self.sender.close(file)
        case .done(let receipt):
            try require(receipt.content == source.prefix, "a receipt names other content")
            try require(receipt.path.starts(with: source.path), "a receipt names another file")
            self.ends[open.index] = .stored(receipt)
            self.open[file] = nil
            self.sender.close(file)
        case .refused(let error): self.end(file, error)
        }
        return true
    }

    private func check(
        read offset: UInt64,
        _ count: Int,
        _ file: FileID,
        _ source: Source
    ) throws(BrokenRule) {
        try require((1...Int(Self.chunkSize)).contains(count), "a chunk of \(count) bytes is to be read")
        let (end, isStream) = (offset + UInt64(count), source.attributes.size == nil)
        try require(isStream || end <= source.content.count, "bytes up to \(end) are to be read")
        let most = isStream ? Sender.maxUnconfirmedStreamChunks : Sender.maxUnconfirmedChunks
        let unconfirmed = end - min(end, self.sender.confirmed(file))
        // What a repair skips is not under way.
        let isRepair = self.sender.files[file]?.repair != nil
        let bound = UInt64(most) * UInt64(Self.chunkSize)
        try require(isRepair || unconfirmed <= bound, "\(unconfirmed) bytes are under way")
    }

    private mutating func end(_ job: Job, _ file: FileID, _ open: Open) throws(BrokenRule) {
        switch job {
        case .read(let offset, let count):
            let (bytes, prefix) = try open.memory.read(at: offset, count)
            guard let chunk = self.sender.chunkRead(file, at: offset, prefix) else { return }
            try require(chunk.offset == offset && Int(chunk.length) == bytes.count, "another chunk is announced")
            self.output += [.frame(.chunk(chunk)), .payload(bytes), .digest(prefix.digest)]
        case .hash(let length):
            self.sender.prefixHashed(file, try open.memory.hashPrefix(length))
        case .skip(let offset):
            try open.memory.skip(to: offset)
            self.sender.skipped(file, to: offset)
        case .finish:
            guard let finish = self.sender.finish(file) else { return }
            try require(finish.content == self.sources[open.index].prefix, "FINISH names other content")
            self.output.append(.frame(.finish(finish)))
        }
    }
}
