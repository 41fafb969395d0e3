import FxferProtocol
import NIOCore

/// A frame put together by hand from the specification, so that it can be wrong in any way.
struct RawFrame {
    var type: UInt8
    var body: [UInt8] = []
    /// What the header says, where that is not the body's length.
    var announcedLength: UInt32?
    var zero: [UInt8] = [0, 0, 0]

    var bytes: [UInt8] {
        let header = bigEndian(self.announcedLength ?? UInt32(self.body.count)) + [self.type] + self.zero
        return header + bigEndian(Self.checksum(header)) + self.body + bigEndian(Self.checksum(self.body))
    }

    /// The CRC-32 of zlib and PNG, bit by bit.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var register = ~UInt32(0)
        for byte in bytes {
            register ^= UInt32(byte)
            for _ in 0..<8 {
                register = register & 1 == 0 ? register >> 1 : register >> 1 ^ 0xEDB8_8320
            }
        }
        return ~register
    }
}

func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian, Array.init)
}

/// The bytes that hexadecimal digits stand for; spaces and line ends between them are skipped.
func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue).map(UInt8.init)
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

extension Frame {
    /// The frame as it travels.
    var bytes: [UInt8] {
        var buffer = ByteBuffer()
        self.write(into: &buffer)
        return Array(buffer.readableBytesView)
    }

    /// Type and body as they travel.
    var raw: RawFrame {
        RawFrame(type: self.type.rawValue, body: Array(self.bytes.dropFirst(12).dropLast(4)))
    }

    /// One of each type, and of each way that a type can be used.
    static var samples: [Frame] {
        let prefix = FilePrefix(ofContent: [1, 2, 3])
        let position = FilePosition(file: 7, offset: 65_536)
        let failure = FileFailure(file: 7, code: WireCode(rawValue: 36), message: "no space for 'é'")
        let attributes = FileAttributes(
            size: 3,
            modified: FileTime(seconds: -1, nanoseconds: 999_999_999),
            permissions: 0o640
        )
        return [
            .hello(Hello(versions: 1...3, chunkSize: 1 << 20, capabilities: 5, nonce: Nonce(repeating: 0x11))),
            .welcome(Welcome(version: 1, filesInFlight: 64, chunkSize: 1 << 20, nonce: Nonce(repeating: 0x22))),
            .auth(Auth(proof: prefix.digest)),
            .error(SessionFailure(code: WireCode(rawValue: 8), message: "too busy")),
            .bye,
            .offer(Offer(file: 7, path: Array("a/b".utf8), attributes: attributes)),
            .accept(Accept(file: 7, prefix: prefix)),
            .refuse(failure),
            .cancel(failure),
            .chunk(Chunk(file: 7, offset: 3, length: 5)),
            .confirm(position),
            .rewind(position),
            .finish(Finish(file: 7, content: prefix)),
            .receipt(Receipt(file: 7, outcome: .identical, content: prefix, path: Array("a/b".utf8))),
            .alive,
            .offer(
                Offer(
                    file: 7,
                    path: Array("a/b".utf8),
                    attributes: FileAttributes(modified: attributes.modified, permissions: 0o750, isFolder: true)
                )
            ),
            .offer(Offer(file: 7, path: Array("a/b".utf8), attributes: attributes, comparison: .byDigest)),
            .offer(Offer(file: 7, path: Array("a/b".utf8), attributes: attributes, comparison: .bySizeAndTime)),
            .receipt(Receipt(file: 7, outcome: .replaced, content: prefix, path: Array("a/b".utf8))),
            .cancel(FileFailure(file: 7, code: WireCode(.isFolder), message: "a folder")),
            .same(Same(file: 7)),
            .get(Get(file: 7, path: Array("a/b".utf8))),
            .list(List(listing: 7, path: [])),
            .entry(
                Entry(
                    listing: 7,
                    kind: .file,
                    permissions: 0o640,
                    size: 3,
                    modified: FileTime(seconds: -1, nanoseconds: 999_999_999),
                    name: Array("b".utf8)
                )
            ),
            .listed(Listed(listing: 7)),
            .listed(Listed(listing: 7, FxferError(.noInput, "no such folder"))),
            .reading(Reading(file: 7, length: 65_536)),
            .repair(Repair(file: 7)),
        ]
    }
}

extension Nonce {
    init(repeating byte: UInt8) {
        self.init(bytes: Array(repeating: byte, count: Nonce.byteCount))
    }
}
