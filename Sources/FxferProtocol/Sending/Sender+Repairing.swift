/// What of a file that is repaired was sent.
struct RepairProgress {
    /// The file as it was stored, which is what the source has.
    let whole: FilePrefix
    /// What has to be sent.
    private var ranges: [Range<UInt64>]
    /// The ends of the chunks that are under way.
    private var unconfirmed: [UInt64] = []

    init(_ decay: Decay, of whole: FilePrefix) {
        self.whole = whole
        self.ranges = decay.ranges
    }

    /// What has to be sent next from `offset` on, or behind it; nil at the end.
    func next(from offset: UInt64) -> Range<UInt64>? {
        self.ranges.first { $0.upperBound > offset }
    }

    /// How many chunks are under way.
    var unconfirmedCount: Int { self.unconfirmed.count }
    /// The end of the first chunk that is under way.
    var nextToConfirm: UInt64? { self.unconfirmed.first }

    /// A chunk was sent.
    mutating func sent(to end: UInt64) {
        self.unconfirmed.append(end)
    }

    /// The first chunk under way was confirmed.
    mutating func confirm() {
        self.unconfirmed.removeFirst()
    }

    /// What the receiver has from `offset` on is not what it should be, perhaps outside the ranges, too: everything up to
    /// the end of the next one is sent.
    mutating func rewind(to offset: UInt64, of size: UInt64) {
        self.unconfirmed = []
        if let index = self.ranges.firstIndex(where: { $0.upperBound > offset }) {
            let range = self.ranges[index]
            self.ranges[index] = min(range.lowerBound, offset)..<range.upperBound
        } else {
            self.ranges.append(offset..<size)
        }
    }
}

extension Sender.Outgoing {
    /// Whether the receiver has something to judge that it did not confirm. Of a file that is repaired, what was skipped
    /// is nothing, until FINISH makes it a part.
    var hasUnconfirmed: Bool {
        if case .finished = self.phase { return true }
        return self.repair.map { $0.unconfirmedCount > 0 } ?? true
    }
}

extension Sender {
    /// The next step for a file that is repaired, of which something has still to be sent.
    func nextRead(_ outgoing: Outgoing, _ repair: RepairProgress) -> Step {
        let place = outgoing.sent.length
        guard let next = repair.next(from: place) else { return .finish }
        guard repair.unconfirmedCount < Self.maxUnconfirmedChunks else { return .wait }
        guard place >= next.lowerBound else { return .skip(to: next.lowerBound) }
        return .read(offset: place, count: Int(min(self.chunkSize, next.upperBound - place)))
    }

    /// The source was read up to `offset`, which need not be sent.
    package mutating func skipped(_ file: FileID, to offset: UInt64) {
        // Not where the receiver has asked for another place meanwhile.
        guard case .sending = self.openFile(file).phase else { return }
        self.files[file]?.sent.length = offset
    }
}
