import FxferProtocol

/// A line of `send --json`. Names are escaped without loss: `\xHH` for a byte that is no printable text, `\\` for a
/// backslash.
struct SendEvent: Encodable {
    /// `started`, `progress`, `receipt` or `error`.
    let event: String
    /// Where the file is stored, relative to the server's directory; absent in an error that stops the whole command.
    let name: String?
    /// Bytes of the file (started, receipt).
    var size: UInt64?
    /// Bytes that the server has verified (progress).
    var verified: UInt64?
    /// 64 hexadecimal digits (receipt).
    var sha256: String?
    /// `stored` or `identical` (receipt).
    var outcome: String?
    /// How often a damaged part was sent again (receipt).
    var repairs: Int?
    /// What kind of failure it is (error).
    var code: String?
    /// The failure in one line (error).
    var message: String?
    /// The exit status for it (error).
    var status: Int32?

    init(event: String, name: RelativePath, size: UInt64? = nil, verified: UInt64? = nil) {
        self.event = event
        self.name = name.description
        self.size = size
        self.verified = verified
    }

    /// The event of a failure, of one file or of the whole command.
    init(failure: FxferError, name: RelativePath? = nil) {
        self.event = "error"
        self.name = name?.description
        self.code = failure.code.rawValue
        self.message = failure.message
        self.status = ExitStatus.status(for: failure.code)
    }
}
