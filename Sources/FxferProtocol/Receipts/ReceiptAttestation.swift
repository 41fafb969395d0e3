import NIOCore

/// What a signed RECEIPT has beside an unsigned one, in two fields.
///
/// Field 0x8001, 13 or 45 bytes: when it was stored, how durably, and the entry of the ledger, where there is one.
///
/// ```
///  0                               8               12      13                              45
///  +-------------------------------+---------------+-------+-------------------------------+
///  | seconds since 1970 (8)        | nanoseconds   | level | chain hash of the entry (32)  |
///  +-------------------------------+---------------+-------+-------------------------------+
/// ```
///
/// Field 0x8002, 8 to 72 bytes: the signature of the statement (``ReceiptStatement``), ECDSA in DER.
package struct ReceiptAttestation: Hashable, Sendable {
    /// The sizes in bytes that a signature on P-256 can have in DER: two numbers of 1 to 33 bytes with their headers.
    package static let signatureSizes = 8...72

    static let storedTag: UInt16 = 0x8001
    static let signatureTag: UInt16 = 0x8002

    package var stored: StoredEntry
    /// ECDSA-Sig-Value in DER.
    package var signature: [UInt8]

    package init(stored: StoredEntry, signature: [UInt8]) {
        self.stored = stored
        self.signature = signature
    }

    func write(into buffer: inout ByteBuffer) {
        let hash = self.stored.entry?.bytes ?? []
        buffer.writeMultipleIntegers(
            Self.storedTag,
            UInt16(13 + hash.count),
            self.stored.time.seconds,
            self.stored.time.nanoseconds,
            self.stored.durability.rawValue
        )
        buffer.writeBytes(hash)
        buffer.writeInteger(Self.signatureTag)
        buffer.writeShortBytes(self.signature)
    }

    /// Takes the two fields' values; nil where one of them is missing or makes no sense.
    init?(stored: [UInt8]?, signature: [UInt8]?) {
        guard let stored, let signature, Self.signatureSizes.contains(signature.count),
            let entry = StoredEntry(field: stored)
        else { return nil }
        self.init(stored: entry, signature: signature)
    }
}

extension StoredEntry {
    fileprivate init?(field: [UInt8]) {
        var bytes = ByteBuffer(bytes: field)
        guard let (seconds, nanoseconds, level) = bytes.readMultipleIntegers(as: (Int64, UInt32, UInt8).self),
            Self.seconds.contains(seconds), nanoseconds < 1_000_000_000,
            let durability = Durability(rawValue: level)
        else { return nil }
        self.init(time: FileTime(seconds: seconds, nanoseconds: nanoseconds), durability: durability)
        guard bytes.readableBytes > 0 else { return }
        guard bytes.readableBytes == Digest.byteCount, let entry = bytes.readDigest() else { return nil }
        self.entry = entry
    }
}
