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
/// ```
///
/// A file of at most one chunk does not wait for ACCEPT.
package struct Sender {
    /// How often a receiver may ask for the same place before the file is given up.
    package static let maxRewindsInPlace = 8
    /// How many chunks of a file may be under way without being confirmed.
    package static let maxUnconfirmedChunks = 64

    let chunkSize: UInt64
    let filesInFlight: Int
    var files: [FileID: Outgoing] = [:]
    var lastFile: FileID = 0
    /// Files that were given up unasked: answers that were on their way then are ignored.
    var cancelled: Set<FileID> = []

    /// - Parameters:
    ///   - chunkSize: the largest chunk that was agreed on, in bytes.
    ///   - filesInFlight: how many files may be open at once.
    package init(chunkSize: UInt32, filesInFlight: UInt16) {
        self.chunkSize = UInt64(chunkSize)
        self.filesInFlight = Int(filesInFlight)
    }

    enum Phase {
        case offered
        case comparing(FilePrefix)
        case restarting
        case rewinding
        case sending
        case finished
        case done(Receipt)
        case refused(FxferError)
    }

    /// A file on its way out.
    struct Outgoing {
        let path: [UInt8]
        let size: UInt64?
        var phase: Phase
        var isAccepted = false
        /// What was read and sent, with its running digest.
        var sent = FilePrefix.empty
        /// Everything before it is verified by the receiver.
        var confirmed: UInt64 = 0
        /// Whether the source ended; known from the start where the size is.
        var isAtEnd: Bool
        var rewindsInPlace = 0
        var rewinds = 0
    }

    /// Whether another file may be offered now.
    package var canOffer: Bool {
        self.files.count < self.filesInFlight && self.lastFile < .max
    }

    /// Opens a file: answers the OFFER to send.
    package mutating func offer(_ path: RelativePath, _ attributes: FileAttributes) -> Offer {
        precondition(self.canOffer, "the receiver's limit of open files is kept")
        self.lastFile += 1
        let goesEarly = attributes.size.map { $0 <= self.chunkSize } ?? false
        self.files[self.lastFile] = Outgoing(
            path: path.bytes,
            size: attributes.size,
            phase: goesEarly ? .sending : .offered,
            isAtEnd: attributes.size == 0
        )
        return Offer(file: self.lastFile, path: path.bytes, attributes: attributes)
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
        case .done: return nil
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
