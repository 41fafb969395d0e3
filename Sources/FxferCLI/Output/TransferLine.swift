import Fxfer
import FxferProtocol

/// A line of `--json`. Names are escaped without loss: `\xHH` for a byte that is no printable text, `\\` for a
/// backslash.
struct TransferLine: Encodable {
    /// `started`, `resumed`, `progress`, `receipt`, `folder`, `unchanged`, `skipped`, `retry` or `error`.
    let event: String
    /// The file's path at the receiving end; absent where it came to none, and in an error that stops everything.
    let name: String?
    /// The file's path at the sending end, where it has no name at the other.
    var source: String?
    /// The name that was asked for, where the receiver gave another (receipt).
    var asked: String?
    /// Bytes of the file (started, receipt).
    var size: UInt64?
    /// The offset from which on the file is sent (resumed).
    var offset: UInt64?
    /// Bytes that the receiver has verified (progress).
    var verified: UInt64?
    /// 64 hexadecimal digits (receipt).
    var sha256: String?
    /// `stored`, `identical`, `replaced` or `repaired` (receipt, folder).
    var outcome: String?
    /// `verified`, `durable` or `media` (receipt of `send`).
    var durability: String?
    /// How often a damaged part was sent again (receipt).
    var repairs: Int?
    /// How many damaged chunks of the stored file were replaced (receipt, where it was repaired).
    var repairedChunks: Int?
    /// What it is that is skipped (skipped).
    var reason: String?
    /// The number of the next try, how many there are at most, and the seconds until then (retry).
    var attempt: Int?
    var attempts: Int?
    var pause: Int64?
    /// What kind of failure it is (error, retry).
    var code: String?
    /// The failure in one line (error, retry).
    var message: String?
    /// The exit status for it (error).
    var status: Int32?

    init(event: String, _ file: TransferFile? = nil, name: [UInt8]? = nil) {
        self.event = event
        let name = name ?? file?.destination
        self.name = name.map { EscapedText.escape($0) }
        self.source = name == nil ? file.map { EscapedText.escape($0.source) } : nil
    }

    /// The event of a failure, of one file or of the whole command.
    init(failure: FxferError, _ file: TransferFile? = nil) {
        self.init(event: "error", file)
        self.code = failure.code.rawValue
        self.message = failure.message
        self.status = ExitStatus.status(for: failure.code)
    }
}
