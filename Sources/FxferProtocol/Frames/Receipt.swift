import NIOCore

/// RECEIPT (0x18): the file is stored: verified, under its name, and as durable as its level says.
///
/// ```
///  0                               4       5               8              16
///  +-------------------------------+-------+---------------+---------------+
///  | file id                       |outcome| zero          | size (8)      |
///  +-------------------------------+-------+---------------+---------------+
///  | SHA-256 of the stored file, 32 bytes ...                              |
///  +---------------+-------------------------------------------------------+ 48
///  | path length   | path under which it is stored ...
///  +---------------+-------------------------------------------------------+
///  | fields ...
/// ```
///
/// Field 0x8003, 1 byte: the level of ``Durability`` that was reached; left out where that is `durable`. Field 0x8004,
/// 4 bytes: how many damaged chunks of a decayed file were replaced, at least one; left out where it was none. The other
/// fields, of a signed one, are those of ``ReceiptAttestation``.
package struct Receipt: Hashable, Sendable {
    /// How the file came to be stored.
    package enum Outcome: UInt8, Sendable {
        /// It was published by this transfer.
        case stored = 0
        /// A file with this name and content was there already; it is durable now.
        case identical = 1
        /// It was published by this transfer in place of another file, which had the name until then.
        case replaced = 2
    }

    package var file: FileID
    package var outcome: Outcome
    package var content: FilePrefix
    /// The path's bytes as they came.
    package var path: [UInt8]
    /// How far the receiver has gone to keep it.
    package var level: Durability
    /// How many damaged chunks of a stored file were replaced; nil where the file in whose place it came was not one that
    /// had decayed, or there was none.
    package var repairedChunks: UInt32?
    /// What it has beside this where it is signed.
    package var attestation: ReceiptAttestation?

    private static let levelTag: UInt16 = 0x8003
    private static let repairedTag: UInt16 = 0x8004

    package init(
        file: FileID,
        outcome: Outcome,
        content: FilePrefix,
        path: [UInt8],
        level: Durability = .durable,
        repairedChunks: UInt32? = nil,
        attestation: ReceiptAttestation? = nil
    ) {
        self.file = file
        self.outcome = outcome
        self.content = content
        self.path = path
        self.level = level
        self.repairedChunks = repairedChunks
        self.attestation = attestation
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(self.file, self.outcome.rawValue, UInt8(0), UInt16(0), self.content.length)
        buffer.writeDigest(self.content.digest)
        buffer.writeShortBytes(self.path)
        self.attestation?.write(into: &buffer)
        self.level.write(into: &buffer, tag: Self.levelTag)
        if let repairedChunks {
            buffer.writeMultipleIntegers(Self.repairedTag, UInt16(4), repairedChunks)
        }
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.file = try body.integer()
        let number: UInt8 = try body.integer()
        let zero8: UInt8 = try body.integer()
        let zero16: UInt16 = try body.integer()
        guard let outcome = Outcome(rawValue: number), zero8 == 0, zero16 == 0 else {
            throw FxferError(.protocolViolation, "RECEIPT has an unknown outcome")
        }
        self.outcome = outcome
        self.content = FilePrefix(length: try body.integer(), digest: try body.digest())
        self.path = try body.shortBytes()
        let fields = try body.fields(known: [
            ReceiptAttestation.storedTag, ReceiptAttestation.signatureTag, Self.levelTag,
            Self.repairedTag,
        ])
        self.level = try Durability(field: fields[Self.levelTag], of: "RECEIPT")
        if let value = fields[Self.repairedTag], value.count == 4 {
            let count = value.reduce(0) { $0 << 8 | UInt32($1) }
            self.repairedChunks = count > 0 ? count : nil
        }
        self.attestation = ReceiptAttestation(
            stored: fields[ReceiptAttestation.storedTag],
            signature: fields[ReceiptAttestation.signatureTag]
        )
    }
}
