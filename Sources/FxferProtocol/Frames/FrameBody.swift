import NIOCore

/// Reads the body of a frame front to back; whatever is missing or left over is a protocol violation.
struct FrameBody {
    private var bytes: ByteBuffer
    private let type: FrameType

    init(_ bytes: ByteBuffer, of type: FrameType) {
        self.bytes = bytes
        self.type = type
    }

    mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) throws(FxferError) -> Value {
        guard let value = self.bytes.readInteger(as: Value.self) else { throw self.tooShort }
        return value
    }

    mutating func digest() throws(FxferError) -> Digest {
        guard let digest = self.bytes.readDigest() else { throw self.tooShort }
        return digest
    }

    mutating func nonce() throws(FxferError) -> Nonce {
        Nonce(bytes: try self.bytes(count: Nonce.byteCount))
    }

    /// A 16-bit length and that many bytes.
    mutating func shortBytes() throws(FxferError) -> [UInt8] {
        try self.bytes(count: Int(self.integer(UInt16.self)))
    }

    /// A 16-bit length and that many bytes of UTF-8; what is not UTF-8 is replaced.
    mutating func shortText() throws(FxferError) -> String {
        String(decoding: try self.shortBytes(), as: UTF8.self)
    }

    /// Reads the fields behind the fixed part, to the end of the body: an optional one (high bit of its tag set) is
    /// skipped, any other is an error. Answers the value of the last one that has the tag `known`, which is optional.
    @discardableResult
    consuming func fields(known: UInt16? = nil) throws(FxferError) -> [UInt8]? {
        let values = try self.fields(known: known.map { [$0] } ?? [])
        return known.flatMap { values[$0] }
    }

    /// The same where several tags are known: answers the value of the last field with each.
    consuming func fields(known: [UInt16]) throws(FxferError) -> [UInt16: [UInt8]] {
        var values: [UInt16: [UInt8]] = [:]
        while self.bytes.readableBytes > 0 {
            let tag = try self.integer(UInt16.self)
            let bytes = try self.shortBytes()
            if known.contains(tag) { values[tag] = bytes }
            guard tag & 0x8000 != 0 else {
                throw FxferError(.protocolViolation, "field \(tag) of a frame of type \(self.type) is not known here")
            }
        }
        return values
    }

    private mutating func bytes(count: Int) throws(FxferError) -> [UInt8] {
        guard let bytes = self.bytes.readBytes(length: count) else { throw self.tooShort }
        return bytes
    }

    private var tooShort: FxferError {
        FxferError(.protocolViolation, "a frame of type \(self.type) is too short")
    }
}

extension ByteBuffer {
    package mutating func writeDigest(_ digest: Digest) {
        let (word0, word1, word2, word3) = digest.words
        self.writeMultipleIntegers(word0, word1, word2, word3)
    }

    mutating func readDigest() -> Digest? {
        self.readMultipleIntegers(as: (UInt64, UInt64, UInt64, UInt64).self).map(Digest.init(words:))
    }

    /// Writes a 16-bit length and the bytes; what would not fit in a frame is cut.
    mutating func writeShortBytes(_ bytes: some Collection<UInt8>) {
        let fitting = bytes.prefix(Int(UInt16.max))
        self.writeInteger(UInt16(fitting.count))
        self.writeBytes(fitting)
    }
}
