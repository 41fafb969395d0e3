import FxferProtocol
import Testing

/// The frames that resuming, folders and the way back need; the others are in ``FrameBytesTests``.
@Suite("Frames of resuming and getting, as bytes")
struct FrameBytesOfGettingTests {
    /// Made from the specification by hand and zlib, not by this code.
    static let examples: [(frame: Frame, bytes: [UInt8])] = [
        (
            .offer(
                Offer(file: 1, path: Array("d".utf8), attributes: FileAttributes(permissions: 0o755, isFolder: true))
            ),
            hex(
                """
                0000001f 10 000000 d78b88a5
                00000001 0d 00 01ed 0000000000000000
                0000000000000000 00000000 0001 64
                fc21c54e
                """
            )
        ),
        (
            .offer(
                Offer(
                    file: 1,
                    path: Array("f".utf8),
                    attributes: FileAttributes(size: 3, modified: FileTime(seconds: 1, nanoseconds: 2)),
                    comparison: .byDigest
                )
            ),
            hex(
                """
                0000001f 10 000000 d78b88a5
                00000001 13 00 0000 0000000000000003
                0000000000000001 00000002 0001 66
                77fd5ef0
                """
            )
        ),
        (
            .offer(
                Offer(
                    file: 1,
                    path: Array("f".utf8),
                    attributes: FileAttributes(size: 3, modified: FileTime(seconds: 1, nanoseconds: 2)),
                    comparison: .bySizeAndTime
                )
            ),
            hex(
                """
                0000001f 10 000000 d78b88a5
                00000001 33 00 0000 0000000000000003
                0000000000000001 00000002 0001 66
                cb14085a
                """
            )
        ),
        (
            .accept(Accept(file: 7, prefix: .empty, newFolderLength: 258)),
            hex(
                """
                00000032 11 000000 56660475
                00000007 0000000000000000
                e3b0c44298fc1c14 9afbf4c8996fb924 27ae41e4649b934c a495991b7852b855
                8001 0002 0102
                bb532bda
                """
            )
        ),
        (
            .same(Same(file: 7)),
            hex(
                """
                00000004 19 000000 bdb361bc
                00000007
                bf204abf
                """
            )
        ),
        (
            .get(Get(file: 7, path: Array("a/b".utf8))),
            hex(
                """
                00000009 20 000000 c8001226
                00000007 0003 612f62
                110c12f6
                """
            )
        ),
        (
            .list(List(listing: 7, path: [])),
            hex(
                """
                00000006 21 000000 f2ece292
                00000007 0000
                b48db726
                """
            )
        ),
        (
            .entry(
                Entry(
                    listing: 7,
                    kind: .folder,
                    permissions: 0o700,
                    size: 0,
                    modified: FileTime(seconds: -1, nanoseconds: 5),
                    name: [0x62]
                )
            ),
            hex(
                """
                0000001f 22 000000 8da9b88f
                00000007 01 00 01c0 0000000000000000
                ffffffffffffffff 00000005 0001 62
                fc4fa87f
                """
            )
        ),
        (
            .listed(Listed(listing: 7)),
            hex(
                """
                00000008 23 000000 e7d59478
                00000007 0000 0000
                d7020379
                """
            )
        ),
        (
            .listed(Listed(listing: 7, FxferError(.isFolder, "no"))),
            hex(
                """
                0000000a 23 000000 9d15c718
                00000007 0029 0002 6e6f
                cf0bf503
                """
            )
        ),
        (
            .cancel(FileFailure(file: 7, code: WireCode(.isFolder), message: "no")),
            hex(
                """
                0000000a 13 000000 6d3e3fb9
                00000007 0029 0002 6e6f
                cf0bf503
                """
            )
        ),
        (
            .receipt(Receipt(file: 7, outcome: .replaced, content: .empty, path: [0x61])),
            hex(
                """
                00000033 18 000000 160e624f
                00000007 02 000000 0000000000000000
                e3b0c44298fc1c14 9afbf4c8996fb924 27ae41e4649b934c a495991b7852b855
                0001 61
                b0257da3
                """
            )
        ),
        (
            .reading(Reading(file: 7, length: 65_536)),
            hex(
                """
                0000000c 81 000000 f537e336
                00000007 0000000000010000
                1e76c191
                """
            )
        ),
    ]

    @Test("a frame's bytes are those of the specification", arguments: Self.examples)
    func exactBytes(frame: Frame, bytes: [UInt8]) {
        #expect(frame.bytes == bytes)
        #expect(Decoded(behindPreamble: bytes).events == [.frame(frame)])
    }

    @Test(
        "a new folder of another length than two bytes is skipped like an unknown field, and the last one counts",
        arguments: [
            ("8001 0000", nil), ("8001 0001 01", nil), ("8001 0003 000001", nil), ("8009 0002 0001", nil),
            ("8001 0002 0001 8001 0002 0003", 3), ("8009 0001 00 8001 0002 0004 8003 0000", 4),
        ] as [(fields: String, length: UInt16?)]
    )
    func newFolder(fields: String, length: UInt16?) {
        var raw = Frame.accept(Accept(file: 7, prefix: .empty)).raw
        raw.body += hex(fields)
        let accept = Accept(file: 7, prefix: .empty, newFolderLength: length)
        #expect(Decoded(behindPreamble: raw.bytes).events == [.frame(.accept(accept))])
    }

    @Test("only permission bits travel in a listing, and nanoseconds stay below a second")
    func clamping() {
        let body = hex("00000001 00 00 0fff 0000000000000000 8000000000000000 ffffffff 0001 61")
        let modified = FileTime(seconds: .min, nanoseconds: 999_999_999)
        let entry = Entry(listing: 1, kind: .file, permissions: 0o777, size: 0, modified: modified, name: [0x61])
        #expect(Decoded(behindPreamble: RawFrame(type: 0x22, body: body).bytes).frames == [.entry(entry)])
    }

    @Test("a listing's error is the peer's, in its words made safe")
    func listedError() {
        let body = hex("00000001 0027 0005 61 1b 5b 6d 62")
        guard case .listed(let listed) = Decoded(behindPreamble: RawFrame(type: 0x23, body: body).bytes).frames.first
        else {
            Issue.record("LISTED was not read")
            return
        }
        #expect(listed.error?.code == .noInput)
        #expect(listed.error?.message == #"a\x1b[mb"#)
        #expect(Listed(listing: 1).error == nil)
    }
}
