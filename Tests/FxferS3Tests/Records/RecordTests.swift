import FxferProtocol
import FxferStorage
import NIOCore
import NIOHTTP1
import Testing

@testable import FxferS3

@Suite("What is written down in a bucket")
struct RecordTests {
    static let content = ObjectMetadata.Content(
        size: 5,
        digest: .ofNothing,
        stored: FileTime(seconds: 1_700_000_000, nanoseconds: 5),
        durability: .durable,
        entry: "2026-01-31T12:00:00.000000000Z-a-1",
        entryHash: .zero
    )
    static let claim = Claim(
        state: .active,
        owner: RandomID.make(),
        id: RandomID.make(),
        upload: "2~abc_-.",
        parts: .zero,
        content: content
    )

    private static func record(tail: UploadRecord.Tail?, size: UInt64?) throws -> UploadRecord {
        UploadRecord(
            owner: RandomID.make(),
            path: try RelativePath(bytes: [0xFF, 0x22, 0x5C]),
            target: try RelativePath(bytes: Array("a/b.1".utf8)),
            size: size,
            modified: size.map { _ in FileTime(seconds: -5, nanoseconds: 7) },
            id: RandomID.make(),
            upload: size.map { _ in "upload" },
            parts: .init(count: 2, position: 10 << 20, hash: Array(repeating: 7, count: 32), list: .zero),
            tail: tail
        )
    }

    @Test("names that hold a folder of a server's own are told from others")
    func reserved() {
        for path in [".fxfer", ".fxfer/a", "a/.fxfer", "a/.fxfer/b", "a//.fxfer"] {
            #expect(ObjectNames.isReserved(Array(path.utf8)))
        }
        for path in ["", "a", ".fxferx", "a.fxfer", "a/.fxfer-b/c"] {
            #expect(!ObjectNames.isReserved(Array(path.utf8)))
        }
    }

    @Test("a claim is read as it was written, and any other byte makes it none")
    func claim() {
        let encoded = Self.claim.encoded
        #expect(Claim(encoded) == Self.claim)
        let bytes = Array(encoded.readableBytesView)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(Claim(ByteBuffer(bytes: changed)) == nil)
            #expect(Claim(ByteBuffer(bytes: bytes[..<index])) == nil)
        }
        #expect(Claim(ByteBuffer(bytes: bytes + [0x0A])) == nil)
    }

    @Test(
        "the record of an upload is read as it was written, and any other byte makes it none",
        arguments: [true, false]
    )
    func upload(isFull: Bool) throws {
        let tail = UploadRecord.Tail(name: RandomID.make(), size: 9, digest: .ofNothing)
        let record = try Self.record(tail: isFull ? tail : nil, size: isFull ? 20 << 20 : nil)
        let bytes = Array(record.encoded.readableBytesView)
        #expect(UploadRecord(record.encoded) == record)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(UploadRecord(ByteBuffer(bytes: changed)) == nil)
            #expect(UploadRecord(ByteBuffer(bytes: bytes[..<index])) == nil)
        }
    }

    @Test("metadata are read as they were written")
    func metadata() {
        let metadata = ObjectMetadata(
            id: RandomID.make(),
            modified: FileTime(seconds: -1, nanoseconds: 999_999_999),
            permissions: 0o640,
            content: Self.content
        )
        let headers = HTTPHeaders(metadata.headers)
        #expect(ObjectMetadata(headers, size: 5) == metadata)
        // Another size than the object has: its words are not believed.
        #expect(ObjectMetadata(headers, size: 6)?.content == nil)
        #expect(ObjectMetadata(HTTPHeaders(), size: 5) == nil)
    }

    @Test("a hash goes on from a checkpoint, wherever it was taken", arguments: [0, 1, 63, 64, 65, 1000])
    func checkpoint(count: Int) throws {
        let bytes = (0..<2000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var hash = SHA256()
        bytes[..<count].withUnsafeBytes { hash.update($0) }
        let encoded = hash.checkpoint(at: UInt64(count)).encoded
        let checkpoint = try #require(HashCheckpoint(position: UInt64(count), encoded: encoded))
        var other = SHA256(checkpoint)
        bytes[count...].withUnsafeBytes { other.update($0) }
        #expect(other.digest() == SHA256.digest(of: bytes[...]))
        #expect(HashCheckpoint(position: UInt64(count) + 1, encoded: encoded) == nil)
    }

    @Test("names that a key can be are their own keys; others are told apart by their digest")
    func names() throws {
        let names = ObjectNames(prefix: Array("p/".utf8))
        for name in ["a", "a/b", "\u{e9}", "a b+c%\\", String(repeating: "k", count: 1022)] {
            #expect(names.key(of: Array(name.utf8)) == Array("p/\(name)".utf8))
            #expect(names.path(of: Array("p/\(name)".utf8)) == Array(name.utf8))
        }
        let odd: [[UInt8]] = [[0xFF], [0xC3, 0x28], Array("\u{FFFE}".utf8), Array(repeating: 0x6B, count: 1023)]
        let keys = odd.map(names.key)
        #expect(keys.allSatisfy { $0.starts(with: names.hidden) && names.path(of: $0) == nil })
        #expect(Set(keys).count == odd.count)
        #expect(names.path(of: Array("q/a".utf8)) == nil)
    }
}
