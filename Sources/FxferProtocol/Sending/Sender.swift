/// The sending end of a connection: which files are offered, what is confirmed, and what has to be done next.
///
/// It holds no file, no hash and no socket. Frames from the receiver go in by the `receive` methods. For each open
/// file the owner asks ``nextStep(of:)``, carries the step out, reports it, and asks again; a step of `.wait` or
/// `.awaitReceipt` means that only a frame from the receiver can bring the file on.
///
/// ```
///  offered ── ACCEPT at 0 ──────────────────────────> sending ── all sent ──> finished ── RECEIPT ──> done
///     │                                                ^   ^                     │
///     └─ ACCEPT further on ─> comparing ─ equal ───────┘   └─ rewinding <────────┤ REWIND, also while sending
///                                 └─ different: restarting ─^                    │
///  any state ── REFUSE ──> refused: CANCEL is sent ──────────────────────────────┘
///  offered ── SAME ──> same
///  comparing ── different, but as it was stored ──> repairing ──> sending, only what is damaged
/// ```
///
/// A file of at most one chunk does not wait for ACCEPT, unless the owner asks for a comparison first.
package struct Sender {
    /// How often a receiver may ask for the same place before the file is given up.
    package static let maxRewindsInPlace = 8
    /// How many chunks of a file may be under way without being confirmed.
    package static let maxUnconfirmedChunks = 64
    /// The same for a file of unknown size, whose source has to keep what is not confirmed in memory.
    package static let maxUnconfirmedStreamChunks = 16

    /// How much is sent in a chunk: what was agreed on, or less.
    let chunkSize: UInt64
    let filesInFlight: Int
    /// Whether the receipt of a file has to be signed.
    let wantsReceipts: Bool
    /// How durable a file has to become.
    private let level: Durability
    var files: [FileID: Outgoing] = [:]
    var lastFile: FileID = 0
    /// Files that were given up unasked: answers that were on their way then are ignored.
    var cancelled: Set<FileID> = []

    /// - Parameters:
    ///   - chunkSize: how much to send in a chunk, in bytes: at most what was agreed on.
    ///   - filesInFlight: how many files may be open at once.
    ///   - wantsReceipts: whether signed receipts were agreed on.
    ///   - level: how durable a file has to become: `durable`, unless levels were agreed on.
    package init(
        chunkSize: UInt32,
        filesInFlight: UInt16,
        wantsReceipts: Bool = false,
        level: Durability = .durable
    ) {
        self.chunkSize = UInt64(chunkSize)
        self.filesInFlight = Int(filesInFlight)
        self.wantsReceipts = wantsReceipts
        self.level = level
    }

    enum Phase {
        case offered
        case comparing(FilePrefix)
        case restarting
        case repairing
        case rewinding
        case sending
        case finished
        indirect case done(Receipt)
        case same
        case refused(FxferError)
    }

    /// A file on its way out.
    struct Outgoing {
        let path: [UInt8]
        let size: UInt64?
        let comparison: Comparison
        let isFolder: Bool
        let level: Durability
        var phase: Phase
        var isAccepted = false
        /// How much the receiver is reading of what it has, before it accepts.
        var announced: UInt64?
        /// The beginning of the source that was hashed meanwhile.
        var hashed: FilePrefix?
        /// What the receiver says about damage to its own.
        var decay: Decay?
        /// Nil where everything is sent.
        var repair: RepairProgress?
        /// Where it goes on behind what the receiver has, until the owner has taken note.
        var resumedAt: UInt64?
        /// What was read and sent, with its running digest.
        var sent = FilePrefix.empty
        /// Everything before it is verified by the receiver.
        var confirmed: UInt64 = 0
        /// Whether the source ended; known from the start where the size is.
        var isAtEnd: Bool
        var rewindsInPlace = 0
        var rewinds = 0
    }

    /// Whether no file is open.
    package var isIdle: Bool { self.files.isEmpty }

    /// Whether another file may be offered now.
    package var canOffer: Bool {
        self.files.count < self.filesInFlight && self.lastFile < .max
    }

    /// Whether a file may be offered under a number that the peer chose.
    package func canOffer(as file: FileID) -> Bool {
        self.canOffer && file > self.lastFile
    }

    /// Opens a file: answers the OFFER to send.
    package mutating func offer(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ comparison: Comparison = .afterwards
    ) -> Offer {
        self.offer(path, attributes, comparison, as: self.lastFile + 1)
    }

    /// Opens a file under a number that is larger than any before: the one that GET asked for it by.
    package mutating func offer(
        _ path: RelativePath,
        _ attributes: FileAttributes,
        _ comparison: Comparison,
        as file: FileID
    ) -> Offer {
        precondition(self.canOffer && file > self.lastFile, "numbers grow, and the limit of open files is kept")
        self.lastFile = file
        let isOneChunk = attributes.size.map { $0 <= self.chunkSize } ?? false
        let goesEarly = isOneChunk && comparison == .afterwards
        // Of a folder there is no content to read again.
        let level = attributes.isFolder ? min(self.level, .durable) : self.level
        self.files[file] = Outgoing(
            path: path.bytes,
            size: attributes.size,
            comparison: comparison,
            isFolder: attributes.isFolder,
            level: level,
            phase: goesEarly ? .sending : .offered,
            isAtEnd: attributes.size == 0
        )
        return Offer(file: file, path: path.bytes, attributes: attributes, comparison: comparison, level: level)
    }

    /// Where an open file goes on behind what the receiver has of it; told once, and only where something is left.
    package mutating func takeResumption(of file: FileID) -> UInt64? {
        defer { self.files[file]?.resumedAt = nil }
        return self.files[file]?.resumedAt
    }

    /// How many bytes of an open file the receiver has verified.
    package func confirmed(_ file: FileID) -> UInt64 {
        self.files[file]?.confirmed ?? 0
    }

    /// How often the receiver asked for a part of an open file again.
    package func rewinds(_ file: FileID) -> Int {
        self.files[file]?.rewinds ?? 0
    }

    /// The owner gives a file up, or answers a refusal: answers the CANCEL to send, nil where the file is done.
    package mutating func cancel(_ file: FileID, _ error: FxferError) -> Frame? {
        guard let outgoing = self.files.removeValue(forKey: file) else { return nil }
        switch outgoing.phase {
        case .done, .same: return nil
        case .refused: break
        default: self.cancelled.insert(file)
        }
        return .cancel(FileFailure(file: file, error))
    }

    /// The owner has taken note that a file is done.
    package mutating func close(_ file: FileID) {
        self.files[file] = nil
    }
}
