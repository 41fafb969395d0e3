import FxferProtocol

/// A file or folder on its way: where it comes from and what it is called at the other end.
public struct TransferFile: Hashable, Sendable {
    /// The path at the end that sends it: of this machine for an upload, of the server for a download.
    public let source: [UInt8]
    /// The path at the end that receives it; nil where it came to none.
    public let destination: [UInt8]?
    /// Whether it is a folder.
    public let isFolder: Bool

    /// Describes a file or folder.
    public init(source: [UInt8], destination: [UInt8]?, isFolder: Bool = false) {
        self.source = source
        self.destination = destination
        self.isFolder = isFolder
    }
}

/// What a receiver acknowledged: the file is verified, has its name, and is durable, unless ``level`` says otherwise.
public struct TransferReceipt: Hashable, Sendable {
    /// How the file came to be there.
    public enum Outcome: String, Sendable {
        /// It was stored by this transfer.
        case stored
        /// A file with this name and content was there already.
        case identical
        /// It took the name from another file, in one step.
        case replaced
        /// A file with this name and content was there and had decayed; what was damaged was replaced, in one step.
        case repaired
    }

    /// How the file came to be there.
    public let outcome: Outcome
    /// Its path at the receiving end: the one that was asked for, or one beside it where the receiver keeps both.
    public let path: [UInt8]
    /// Its size in bytes.
    public let size: UInt64
    /// Its SHA-256.
    public let digest: Digest
    /// How often a part had to be sent again because it arrived damaged.
    public let repairs: Int
    /// How many damaged chunks of a decayed file were replaced; nil where none was.
    public var repairedChunks: Int?
    /// How far the server has gone to keep it; nil for a download.
    public var level: Durability?
    /// What proves it to anybody; nil for a folder, and where that was not asked for (``UploadOptions/wantsReceipts``).
    public var signed: SignedReceipt?
}

/// What happens in a transfer. A file is started, resumed or not, makes progress any number of times, and ends once.
public enum TransferEvent: Sendable {
    /// The file is offered; its size in bytes, nil for a stream.
    case started(TransferFile, size: UInt64?)
    /// The receiver had the bytes before the offset, proven by their digest; the rest is sent.
    case resumed(TransferFile, at: UInt64)
    /// The receiver has verified that many bytes so far.
    case progress(TransferFile, verified: UInt64)
    /// The file is over, well or not. Not every file that ends was started.
    case ended(TransferFile, Result<TransferReceipt, FxferError>)
    /// All was given up before this file came to its end, for a reason that is not its own: the same for each.
    case abandoned(TransferFile, FxferError)
    /// The receiver has a file of that size and time, which was all that was asked; nothing was read or sent.
    case unchanged(TransferFile)
    /// Something that is not sent on purpose, and what it is ("a symbolic link").
    case skipped(TransferFile, reason: String)
    /// The transfer broke; what is left is tried again after a pause.
    case retrying(after: FxferError, pause: Duration, attempt: Int, of: Int)
}

extension TransferReceipt {
    init(_ sent: SentReceipt, _ signed: SignedReceipt?) {
        self.init(
            outcome: sent.receipt.repairedChunks == nil ? Outcome(sent.receipt.outcome) : .repaired,
            path: sent.receipt.path,
            size: sent.receipt.content.length,
            digest: sent.receipt.content.digest,
            repairs: sent.rewinds,
            repairedChunks: sent.receipt.repairedChunks.map(Int.init),
            level: sent.receipt.level,
            signed: signed
        )
    }
}

extension TransferReceipt.Outcome {
    init(_ outcome: Receipt.Outcome) {
        self =
            switch outcome {
            case .stored: .stored
            case .identical: .identical
            case .replaced: .replaced
            }
    }
}
