import FxferProtocol
import FxferStorage
import NIOCore

/// A line of JSON whose last field is the SHA-256 of all before it, as lines of the ledger have it: what a store keeps for
/// us may be damaged there, or written by others.
enum HashedLine {
    /// - Parameter fields: adds the fields.
    static func encode(_ fields: (inout JSONLineWriter) -> Void) -> ByteBuffer {
        var line = JSONLineWriter()
        fields(&line)
        line.add("hash", SHA256.digest(of: line.bytes[...]))
        return ByteBuffer(bytes: line.finish())
    }

    /// - Parameter fields: reads all fields, in their order; nil where one is not as it should be.
    /// - Returns: nil, too, where the digest is another, or anything else stands in the line.
    static func decode<Record>(_ encoded: ByteBuffer, _ fields: (inout JSONLineReader) -> Record?) -> Record? {
        let bytes = Array(encoded.readableBytesView)
        guard bytes.last == UInt8(ascii: "\n"), var reader = JSONLineReader(bytes.dropLast()),
            let record = fields(&reader)
        else { return nil }
        let hashed = bytes.prefix(reader.position)
        guard let hash = reader.text("hash").flatMap(Digest.init(hex:)), reader.isAtEnd(),
            hash == SHA256.digest(of: hashed)
        else { return nil }
        return record
    }
}
