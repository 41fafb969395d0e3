import NIOCore

/// The receiving end of a connection: which files are open, what is verified, and what has to happen next.
///
/// It holds no file, no hash and no socket. Each event method answers with a documented action; the owner carries it
/// out and reports the result by the next event method, before it hands over the next wire event. Only a commit may
/// run beside others.
///
/// ```
///            OFFER           staged()                     FINISH, digest equal       committed()
///  (none) ──────────> staging ──────> receiving ──────────────────> committing ─────────────> (none)
///                      │ │ │            │   ^                            │
///                      │ │ │ existing() │   │ CHUNK at the offset        │ failed()
///                      │ │ v            v   │                            v
///                      │ │ matching   rewinding                       refused ── CANCEL ──> (none)
///                      │ │  FINISH equal: committing                     ^
///                      │ │  CHUNK at 0: receiving, or refused            │
///                      │ │  REPAIR: receiving, with gaps                 │
///                      │ └───────────── failed() ────────────────────────┘
///                      └─ same() ──> (none)
///  CANCEL ends a file in any state but committing; while staging, the file is abandoned until the store answers.
/// ```
package struct Receiver {
    /// How often the same place of a file may arrive damaged before the file is given up.
    package static let maxRewindsInPlace = 8

    /// The largest chunk that was agreed on, in bytes.
    package let chunkSize: UInt32
    package let filesInFlight: Int
    var files: [FileID: FileState] = [:]
    var lastFile: FileID?
    var currentChunk = CurrentChunk.none
    var refusal: FxferError?

    /// - Parameters:
    ///   - chunkSize: the largest chunk that was agreed on, in bytes.
    ///   - filesInFlight: how many files may be open at once.
    package init(chunkSize: UInt32, filesInFlight: UInt16) {
        self.chunkSize = chunkSize
        self.filesInFlight = Int(filesInFlight)
    }

    /// Where a file stands.
    enum FileState {
        /// The store is asked whether and where it takes the file.
        case staging(Incoming)
        /// The same, but the sender has given the file up meanwhile.
        case abandoned
        /// Chunks are expected at the verified offset.
        case receiving(Incoming)
        /// A chunk was damaged: all is discarded until one comes at the verified offset.
        case rewinding(Incoming)
        /// A file of that name and size is there: FINISH with its digest is expected, and no data. Data from 0 on is
        /// taken where the store can take it, and REPAIR where the file has decayed.
        indirect case matching(Matching)
        /// The store makes the file durable and publishes it.
        case committing(Incoming)
        /// REFUSE was sent: all is discarded until CANCEL.
        case refused

        var isAbandoned: Bool {
            if case .abandoned = self { true } else { false }
        }

        /// The path of a file that may still be published.
        var path: RelativePath? {
            switch self {
            case .staging(let incoming), .receiving(let incoming), .rewinding(let incoming),
                .committing(let incoming):
                incoming.path
            case .matching(let matching): matching.incoming.path
            case .abandoned, .refused: nil
            }
        }
    }

    /// A file on its way in.
    struct Incoming {
        var path: RelativePath
        var size: UInt64?
        var verified = FilePrefix.empty
        /// Whether a chunk at 0 may still come instead of one at the verified offset: the sender has not yet shown
        /// that it has the prefix.
        var mayRestart = false
        var rewindsInPlace = 0
        /// What of a repaired file is where.
        var patching: Patching?
    }

    /// A file whose name another one of its size has.
    struct Matching {
        var incoming: Incoming
        let existing: FilePrefix
        let canRestart: Bool
        let decay: Decay?
    }

    /// Whose payload is arriving.
    enum CurrentChunk {
        case none
        case kept(Chunk)
        case discarded
    }

    /// Whether no file is open.
    package var isIdle: Bool { self.files.isEmpty }

    /// A file that its sender gave up and about which the store has not answered yet, where with such files as many are
    /// held as may be open. The owner waits for that answer before it hands over the next OFFER: the sender may make it, as
    /// what it gave up is not open any more, but however often it does, the store is asked about so many files at once.
    package var abandonedFileInTheWay: FileID? {
        guard self.files.count >= self.filesInFlight else { return nil }
        return self.files.first { $0.value.isAbandoned }?.key
    }

    /// Whether a file beneath `folder` is open that was offered before `file` and may still be published.
    package func hasOpenFile(before file: FileID, beneath folder: RelativePath) -> Bool {
        self.files.contains { other, state in
            other < file && state.path?.isBeneath(folder) ?? false
        }
    }

    /// From now on every offer is refused with `error`; what is open goes on.
    package mutating func refuseOffers(_ error: FxferError) {
        self.refusal = error
    }

    /// The file could not be staged, written or committed: answers the REFUSE to send. The owner discards what
    /// it holds.
    package mutating func failed(_ file: FileID, _ error: FxferError) -> FileFailure {
        // For an abandoned file CANCEL is in already: the sender ignores the REFUSE, and sends nothing more.
        if case .abandoned = self.files[file] {
            self.files[file] = nil
        } else {
            self.files[file] = .refused
        }
        if case .kept(let chunk) = self.currentChunk, chunk.file == file {
            self.currentChunk = .discarded
        }
        return FileFailure(file: file, error)
    }

    func state(of file: FileID) throws(FxferError) -> FileState {
        guard let state = self.files[file] else {
            throw FxferError(.protocolViolation, "file \(file) is not open on this connection")
        }
        return state
    }

    func outOfOrder(_ frame: String, _ file: FileID) -> FxferError {
        FxferError(.protocolViolation, "\(frame) for file \(file) is out of order")
    }
}
