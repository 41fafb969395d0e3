import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A partial's journal on disk")
struct PartialFormatTests {
    static let header = PartialHeader(
        path: PartialSample.path,
        created: FileTime(seconds: 1, nanoseconds: 2),
        size: 3,
        modified: FileTime(seconds: -4, nanoseconds: 5)
    )

    @Test("has the bytes that are documented")
    func bytes() throws {
        let bytes = Array(Self.header.encoded.readableBytesView)
        let covered: [UInt8] =
            Array("FXJRNL\0\u{1}".utf8) + [0, 3] + Array("a/b".utf8)
            + [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2] + [0, 0, 0, 0, 0, 0, 0, 3]
            + [1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFC, 0, 0, 0, 5]
        #expect(bytes == covered + sha256(covered).bytes)
        #expect(bytes.count == Self.header.byteCount)
        let record = PartialRecord(length: 258, digest: .ofNothing)
        #expect(Array(record.encoded.readableBytesView) == [0, 0, 0, 0, 0, 0, 1, 2] + Digest.ofNothing.bytes)
    }

    @Test("reads back as it was written, whatever follows", arguments: [Self.header.modified, nil], [0, 40])
    func roundTrip(modified: FileTime?, behind: Int) {
        var header = Self.header
        header.modified = modified
        var bytes = header.encoded
        bytes.writeRepeatingByte(0xFF, count: behind)
        #expect(PartialHeader(bytes) == header)
    }

    @Test("counts for nothing with any byte of its header altered or its end missing")
    func damage() {
        let bytes = Array(Self.header.encoded.readableBytesView)
        for index in bytes.indices {
            var altered = bytes
            altered[index] ^= 1
            #expect(PartialHeader(ByteBuffer(bytes: altered)) == nil, "byte \(index)")
            #expect(PartialHeader(ByteBuffer(bytes: bytes[..<index])) == nil, "\(index) bytes")
        }
    }

    @Test("has one name for a path, and others for others and for what is not kept")
    func names() throws {
        let name = PartialName(for: PartialSample.path, prefix: [])
        #expect(name == PartialName(for: PartialSample.path, prefix: []))
        #expect(name != PartialName(for: try path("a/B"), prefix: []))
        #expect(PartialName(name.content, prefix: []) == name)
        #expect(try PartialName(#require(name.journal), prefix: []) == name)
        let random = PartialName.random(prefix: [])
        #expect(random != .random(prefix: []))
        #expect(random.journal == nil)
        #expect(PartialName(random.content, prefix: []) == random)
        #expect(PartialName(random.content, prefix: Array(".fxfer-".utf8)) == nil)
    }
}
