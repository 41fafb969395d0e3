@testable import FxferProtocol

/// A server without socket and disk, which carries out what its ``Receiver`` answers. The store takes its time: offers and
/// commits are answered when ``work(_:)`` says so, in any order.
///
/// It makes sure of the promise: what is published has the size and digest of a FINISH that came for it, its bytes are
/// those that were compared, and its name was offered.
struct ReceivingSide {
    /// A file on its way in.
    struct File {
        let offer: Offer
        var content: [UInt8] = []
        var kept = 0
        /// What is there already, where that is compared.
        var existing: MemoryStore.Stored?
        var isRepair = false
        var finish: FilePrefix?
        /// How often it went back to the same place, and how many bytes were taken from a decayed file.
        var rewindsInPlace = 0
        var filled = 0
    }

    var receiver: Receiver
    var store: MemoryStore
    var files: [FileID: File] = [:]
    private(set) var staging: [FileID] = []
    private(set) var committing: [FileID] = []
    var output: [Frame] = []
    /// Decides whether a call of the store fails.
    var mayFail: () -> Bool = { false }

    init(_ store: MemoryStore, filesInFlight: UInt16) {
        self.store = store
        self.receiver = Receiver(chunkSize: SendingSide.chunkSize, filesInFlight: filesInFlight)
    }

    /// Takes what came from a sender.
    mutating func receive(_ item: WireItem) throws {
        switch item {
        case .frame(.offer(let offer)): try self.receive(offer)
        case .frame(.chunk(let chunk)): try self.receive(chunk)
        case .frame(.finish(let finish)):
            try self.stageNow(finish.file)
            self.files[finish.file]?.finish = finish.content
            try self.take(try self.receiver.receive(finish), of: finish.file)
        case .frame(.repair(let repair)): try self.receive(repair)
        case .frame(.cancel(let cancel)):
            switch try self.receiver.receive(cancel: cancel) {
            case .discard: self.drop(cancel.file, keepingPartial: true)
            case .forget: break
            }
        case .frame: throw FxferError(.protocolViolation, "no sender says this")
        case .payload(let bytes): try self.receive(payload: bytes)
        case .digest(let digest): try self.receive(payloadEnd: digest)
        }
        try require(self.receiver.files.count <= self.receiver.filesInFlight, "too many files are open")
    }

    private mutating func receive(_ offer: Offer) throws {
        while let file = self.receiver.abandonedFileInTheWay { try self.stageNow(file) }
        switch try self.receiver.receive(offer) {
        case .refuse(let failure):
            self.output.append(.refuse(failure))
        case .stage(let path):
            try require(path.bytes == offer.path, "another file is staged")
            self.files[offer.file] = File(offer: offer)
            self.staging.append(offer.file)
            // What may be on its way already is staged at once.
            let isOneChunk = offer.attributes.size.map { $0 <= self.receiver.chunkSize } ?? false
            if isOneChunk, offer.comparison == .afterwards { try self.stageNow(offer.file) }
        }
    }

    private mutating func receive(_ chunk: Chunk) throws {
        try self.stageNow(chunk.file)
        switch try self.receiver.receive(chunk) {
        case .proceed: break
        case .restart(let file):
            self.files[file]?.content = []
            self.files[file]?.kept = 0
            self.files[file]?.existing = nil
        case .fill(let file, let end): _ = try self.fill(file, upTo: end)
        case .refuse(let failure): self.refuse(failure)
        }
    }

    private mutating func receive(_ repair: Repair) throws {
        try self.stageNow(repair.file)
        guard case .stage = try self.receiver.receive(repair) else { return }
        try require(self.files[repair.file]?.existing?.decay != nil, "what has not decayed is repaired")
        if self.mayFail() { return self.fail(repair.file) }
        self.files[repair.file]?.isRepair = true
        self.files[repair.file]?.content = []
        self.files[repair.file]?.kept = 0
    }

    private mutating func receive(payload: [UInt8]) throws {
        guard case .append(let file) = self.receiver.receivePayload() else { return }
        try require(self.files[file] != nil, "bytes are added to a file that is not there")
        if self.mayFail() { return self.fail(file) }
        self.files[file]?.content += payload
        let size = self.files[file]?.offer.attributes.size ?? .max
        try require(self.files[file]?.content.count ?? 0 <= size, "a file gets longer than was announced")
    }

    private mutating func receive(payloadEnd claimed: Digest) throws {
        guard case .verify(let id) = self.receiver.receivePayloadEnd() else { return }
        let file = try require(self.files[id], "a file is compared that is not there")
        let digest = Digest(ofContent: file.content)
        switch self.receiver.verified(digest, claimed: claimed) {
        case .keep(let frame):
            try require(digest == claimed, "a damaged chunk is kept")
            try require(
                frame == .confirm(FilePosition(file: id, offset: UInt64(file.content.count))),
                "another place is confirmed: \(frame)"
            )
            self.files[id]?.kept = file.content.count
            self.files[id]?.rewindsInPlace = 0
            self.output.append(frame)
        case .rewind(let frame):
            try require(digest != claimed, "a good chunk is not kept")
            try self.rewind(id, frame)
        case .refuse(let failure):
            try require(file.rewindsInPlace == Receiver.maxRewindsInPlace, "a file is given up early")
            self.refuse(failure)
        }
    }

    private mutating func rewind(_ id: FileID, _ frame: Frame) throws(BrokenRule) {
        let file = try require(self.files[id], "a file goes back that is not there")
        let place = FilePosition(file: id, offset: UInt64(file.kept))
        try require(frame == .rewind(place), "the file is to come again from another place: \(frame), not \(file.kept)")
        try require(file.rewindsInPlace < Receiver.maxRewindsInPlace, "a file goes back for ever")
        self.files[id]?.content.removeLast(file.content.count - file.kept)
        self.files[id]?.rewindsInPlace += 1
        self.output.append(frame)
    }

    /// Takes bytes from a decayed file; what comes out, nil where that failed.
    private mutating func fill(_ id: FileID, upTo end: UInt64) throws(BrokenRule) -> FilePrefix? {
        let file = try require(self.files[id], "a file is filled that is not there")
        let base = try require(file.existing?.content, "a file is filled that repairs none")
        try require(file.isRepair && end >= file.content.count && end <= base.count, "a file is filled up to \(end)")
        if self.mayFail() {
            self.fail(id)
            return nil
        }
        let content = file.content + base[file.content.count..<Int(end)]
        self.files[id]?.filled += content.count - file.content.count
        self.files[id]?.content = content
        let most = (Receiver.maxRewindsInPlace + 1) * base.count
        try require(self.files[id]?.filled ?? 0 <= most, "a file is filled for ever")
        return FilePrefix(ofContent: content)
    }

    private mutating func take(_ action: Receiver.FinishAction, of id: FileID) throws(BrokenRule) {
        switch action {
        case .refuse(let failure): self.refuse(failure)
        case .discard: break
        case .rewind(let frame): try self.rewind(id, frame)
        case .fill(let end):
            guard let content = try self.fill(id, upTo: end) else { return }
            try self.take(self.receiver.filled(id, content), of: id)
        case .commit(let content):
            let file = try require(self.files[id], "a file is committed that is not there")
            try require(file.finish == content, "a file is committed with \(content), FINISH named another")
            let size = file.offer.attributes.size
            try require(size == nil || size == content.length, "a file is committed of another size")
            let bytes = file.existing.map { file.isRepair ? file.content : $0.content } ?? file.content
            try require(FilePrefix(ofContent: bytes) == content, "other bytes are committed than were compared")
            try require(!self.committing.contains(id), "a file is committed twice")
            self.committing.append(id)
        }
    }

    mutating func refuse(_ failure: FileFailure) {
        self.drop(failure.file)
        self.output.append(.refuse(failure))
    }

    mutating func fail(_ file: FileID) {
        self.refuse(self.receiver.failed(file, FxferError(.io, "the disk fails")))
    }

    /// Whether the store had not answered about a file; it does now.
    mutating func takeFromStaging(_ id: FileID) -> Bool {
        guard let index = self.staging.firstIndex(of: id) else { return false }
        self.staging.remove(at: index)
        return true
    }

    mutating func takeFromCommitting(_ id: FileID) -> File? {
        guard let index = self.committing.firstIndex(of: id) else { return nil }
        self.committing.remove(at: index)
        return self.files[id]
    }

    mutating func drop(_ id: FileID, keepingPartial: Bool = false) {
        guard let file = self.files.removeValue(forKey: id) else { return }
        self.staging.removeAll { $0 == id }
        self.committing.removeAll { $0 == id }
        let isWorthIt = keepingPartial && file.kept > 0 && !file.isRepair && file.offer.attributes.size != nil
        if isWorthIt { self.store.partials[file.offer.path] = Array(file.content.prefix(file.kept)) }
    }
}
