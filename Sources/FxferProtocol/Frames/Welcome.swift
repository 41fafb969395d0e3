import NIOCore

/// WELCOME (0x02), the server's answer to HELLO: what holds for this connection.
///
/// ```
///  0               2               4                               8
///  +---------------+---------------+-------------------------------+
///  | version       | files at once | largest chunk, bytes          |
///  +---------------+---------------+-------------------------------+
///  | capabilities                                                  |
///  +---------------------------------------------------------------+ 16
///  | nonce, 32 bytes ...                                           |
///  +---------------------------------------------------------------+ 48
///  | fields ...
/// ```
///
/// Field 0x8001, 91 bytes, with the capability *receipts*: the SubjectPublicKeyInfo (RFC 5480), in DER, of the key on P-256
/// that signs receipts.
package struct Welcome: Hashable, Sendable {
    package var version: UInt16
    package var filesInFlight: UInt16
    package var chunkSize: UInt32
    package var capabilities: UInt64
    package var nonce: Nonce
    /// The DER of the key that signs receipts; nil where it is not told. It is not looked into here.
    package var receiptKey: [UInt8]?

    private static let receiptKeyTag: UInt16 = 0x8001

    package init(
        version: UInt16,
        filesInFlight: UInt16,
        chunkSize: UInt32,
        capabilities: UInt64 = 0,
        nonce: Nonce,
        receiptKey: [UInt8]? = nil
    ) {
        self.version = version
        self.filesInFlight = filesInFlight
        self.chunkSize = chunkSize
        self.capabilities = capabilities
        self.nonce = nonce
        self.receiptKey = receiptKey
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(self.version, self.filesInFlight, self.chunkSize, self.capabilities)
        buffer.writeBytes(self.nonce.bytes)
        if let receiptKey {
            buffer.writeInteger(Self.receiptKeyTag)
            buffer.writeShortBytes(receiptKey)
        }
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.version = try body.integer()
        self.filesInFlight = try body.integer()
        self.chunkSize = try body.integer()
        self.capabilities = try body.integer()
        self.nonce = try body.nonce()
        let key = try body.fields(known: Self.receiptKeyTag)
        self.receiptKey = key?.count == ReceiptKey.encodedSize ? key : nil
    }
}
