import NIOCore

/// REFUSE (0x12) from a receiver and CANCEL (0x13) from a sender: this file ends here, and why.
///
/// ```
///  0                               4               6               8
///  +-------------------------------+---------------+---------------+
///  | file id                       | code          | message length|
///  +-------------------------------+---------------+---------------+
///  | message, UTF-8, one line ...  | fields ...
/// ```
package struct FileFailure: Hashable, Sendable {
    package var file: FileID
    package var code: WireCode
    package var message: String

    package init(file: FileID, code: WireCode, message: String) {
        self.file = file
        self.code = code
        self.message = message
    }

    package init(file: FileID, _ error: FxferError) {
        self.init(file: file, code: WireCode(error.code), message: error.message)
    }

    /// The failure as an error of this side; the peer's words are made safe.
    package var error: FxferError {
        self.code.error(saying: self.message)
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(self.file, self.code.rawValue)
        buffer.writeMessage(self.message)
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.file = try body.integer()
        self.code = WireCode(rawValue: try body.integer())
        self.message = try body.shortText()
        try body.fields()
    }
}

extension ByteBuffer {
    /// The longest message that this side sends, in bytes; a path of 4,096 bytes, escaped, still fits.
    private static let maxMessageBytes = 20_000

    /// Writes a 16-bit length and the message, which is cut between two characters where it is too long.
    mutating func writeMessage(_ message: String) {
        let text = message.utf8
        var end = text.index(text.startIndex, offsetBy: Self.maxMessageBytes, limitedBy: text.endIndex) ?? text.endIndex
        // 10xxxxxx goes on with the character before (RFC 3629).
        while end < text.endIndex, text[end] & 0xC0 == 0x80 { end = text.index(before: end) }
        self.writeShortBytes(text[..<end])
    }
}
