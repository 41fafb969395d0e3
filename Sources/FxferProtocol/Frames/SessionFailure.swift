import NIOCore

/// ERROR (0x04): the connection ends here, and why.
///
/// ```
///  0               2               4
///  +---------------+---------------+-------------------------------+
///  | code          | message length| message, UTF-8, one line ...  |
///  +---------------+---------------+-------------------------------+
///  | fields ...
/// ```
package struct SessionFailure: Hashable, Sendable {
    package var code: WireCode
    package var message: String

    package init(code: WireCode, message: String) {
        self.code = code
        self.message = message
    }

    package init(_ error: FxferError) {
        self.init(code: WireCode(error.code), message: error.message)
    }

    /// The failure as an error of this side; the peer's words are made safe.
    package var error: FxferError {
        self.code.error(saying: self.message)
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeInteger(self.code.rawValue)
        buffer.writeMessage(self.message)
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.code = WireCode(rawValue: try body.integer())
        self.message = try body.shortText()
        try body.fields()
    }
}
