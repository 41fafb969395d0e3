import Fxfer
import FxferProtocol
import FxferTrust

/// What a verified receipt proves, as a line. The path is escaped.
struct ReceiptLine: Encodable {
    /// `receipt`
    let event = "receipt"
    /// The receipt's own file.
    let file: String
    /// The path at the server.
    let name: String
    /// Bytes.
    let size: UInt64
    /// 64 hexadecimal digits.
    let sha256: String
    /// When it was stored: RFC 3339, UTC.
    let time: String
    /// `verified`, `durable` or `media`.
    let durability: String
    /// `stored`, `identical` or `replaced`.
    let outcome: String
    /// The chain hash of the entry in the server's ledger, 64 hexadecimal digits, where there is one.
    let entry: String?
    /// The key that signed it: `SHA256:` and base64.
    let key: String
    /// Whether the user said that it has to be this key.
    let isKeyKnown: Bool

    init(_ receipt: KeptReceipt, in path: [UInt8], isKeyKnown: Bool) {
        let statement = receipt.statement
        self.file = EscapedText.escape(path)
        self.name = EscapedText.escape(statement.path)
        self.size = statement.content.length
        self.sha256 = statement.content.digest.hex
        self.time = statement.stored.time.rfc3339
        self.durability = statement.stored.durability.name
        self.outcome = statement.outcome.name
        self.entry = statement.stored.entry?.hex
        self.key = receipt.fingerprint.description
        self.isKeyKnown = isKeyKnown
    }

    func text(asJSON json: Bool) -> String {
        json
            ? JSONLine.text(self) : "\(self.name): \(self.size) bytes, \(self.sha256), \(self.time), \(self.durability)"
    }
}

/// The line of `--json` about a receipt that proves nothing.
struct ReceiptFailureLine: Encodable {
    /// `error`
    let event = "error"
    /// The receipt's own file.
    let file: String
    let code: String
    let message: String
    /// The exit status for it.
    let status: Int32

    init(_ error: FxferError, in path: [UInt8]) {
        self.file = EscapedText.escape(path)
        self.code = error.code.rawValue
        self.message = error.message
        self.status = ExitStatus.status(for: error.code)
    }
}
