import FxferProtocol
import Testing

@Suite("Frames as bytes")
struct FrameBytesTests {
    @Test("a frame that was written is read as the same frame", arguments: Frame.samples)
    func roundTrip(frame: Frame) {
        let decoded = Decoded(behindPreamble: frame.bytes)
        #expect(decoded.events == [.frame(frame)])
        #expect(decoded.code == nil)
    }

    @Test("a frame has the header and the checksums of the specification", arguments: Frame.samples)
    func header(frame: Frame) {
        #expect(frame.raw.bytes == frame.bytes)
    }

    /// Made from the specification by hand and zlib, not by this code.
    static let examples: [(frame: Frame, bytes: [UInt8])] = [
        (.bye, hex("00000000 05 000000 52fc2f5b 00000000")),
        (.alive, hex("00000000 80 000000 887b6952 00000000")),
        (
            .hello(Hello(versions: 1...3, chunkSize: 1 << 20, capabilities: 5, nonce: Nonce(repeating: 0x11))),
            hex(
                """
                00000030 01 000000 7cbf008a
                0001 0003 00100000 0000000000000005
                1111111111111111 1111111111111111 1111111111111111 1111111111111111
                46581a19
                """
            )
        ),
        (
            .offer(
                Offer(
                    file: 7,
                    path: Array("a/b".utf8),
                    attributes: FileAttributes(
                        size: 3,
                        modified: FileTime(seconds: -1, nanoseconds: 999_999_999),
                        permissions: 0o640
                    )
                )
            ),
            hex(
                """
                00000021 10 000000 c99a8e42
                00000007 07 00 01a0 0000000000000003
                ffffffffffffffff 3b9ac9ff 0003 612f62
                e7dc22e0
                """
            )
        ),
        (
            .offer(Offer(file: 1, path: Array("-".utf8), attributes: FileAttributes())),
            hex(
                """
                0000001f 10 000000 d78b88a5
                00000001 00 00 0000 0000000000000000 0000000000000000 00000000 0001 2d
                34783c99
                """
            )
        ),
        (
            .chunk(Chunk(file: 7, offset: 3, length: 5)),
            hex("00000010 14 000000 dab98823 00000007 0000000000000003 00000005 a602c352")
        ),
        (
            .confirm(FilePosition(file: 7, offset: 65_536)),
            hex("0000000c 15 000000 c71595c5 00000007 0000000000010000 1e76c191")
        ),
        (
            .finish(Finish(file: 7, content: FilePrefix(ofContent: [1, 2, 3]))),
            hex(
                """
                0000002c 17 000000 acdd724a
                00000007 0000000000000003
                039058c6f2c0cb49 2c533b0a4d14ef77 cc0f78abccced528 7d84a1a2011cfb81
                e4ccaaad
                """
            )
        ),
        (
            .receipt(
                Receipt(
                    file: 7,
                    outcome: .identical,
                    content: FilePrefix(ofContent: [1, 2, 3]),
                    path: Array("a/b".utf8)
                )
            ),
            hex(
                """
                00000035 18 000000 994e97ef
                00000007 01 000000 0000000000000003
                039058c6f2c0cb49 2c533b0a4d14ef77 cc0f78abccced528 7d84a1a2011cfb81
                0003 612f62
                6efee772
                """
            )
        ),
        (
            .refuse(FileFailure(file: 7, code: WireCode(.noSpace), message: "full")),
            hex("0000000c 12 000000 5ac2ad7c 00000007 0024 0004 66756c6c 10fd1b55")
        ),
        (
            .error(SessionFailure(code: WireCode(.busy), message: "too busy")),
            hex("0000000c 04 000000 2fb0a53f 0008 0008 746f6f2062757379 f997c241")
        ),
    ]

    @Test("a frame's bytes are those of the specification", arguments: Self.examples)
    func exactBytes(frame: Frame, bytes: [UInt8]) {
        #expect(frame.bytes == bytes)
        #expect(Decoded(behindPreamble: bytes).events == [.frame(frame)])
    }

    @Test("the preamble is that of the specification")
    func preamble() {
        #expect(Preamble.bytes == hex("F8 46 58 46 0D 0A 1A 0A"))
        #expect(Decoded(Preamble.bytes).isAtBoundary)
    }

    @Test("the checksum has the published check value: that of \"123456789\" is CBF43926")
    func checkValue() {
        let right = RawFrame(type: 0xFF, body: Array("123456789".utf8)).bytes
        #expect(Array(right.suffix(4)) == hex("CBF43926"))
        #expect(Decoded(behindPreamble: right).code == nil)
        #expect(Decoded(behindPreamble: right.dropLast() + [0x27]).code == .damaged)
    }

    @Test("only permission bits travel, and nanoseconds stay below a second")
    func clamping() {
        let body = hex("00000001 06 00 0fff 0000000000000000 8000000000000000 ffffffff 0001 61")
        let frames = Decoded(behindPreamble: RawFrame(type: 0x10, body: body).bytes).frames
        let modified = FileTime(seconds: .min, nanoseconds: 999_999_999)
        let attributes = FileAttributes(modified: modified, permissions: 0o777)
        #expect(frames == [.offer(Offer(file: 1, path: [0x61], attributes: attributes))])
    }

    @Test("a message that is too long for a frame is cut, not the frame broken")
    func longMessage() {
        let failure = SessionFailure(code: WireCode(.io), message: String(repeating: "x", count: 100_000))
        let frames = Decoded(behindPreamble: Frame.error(failure).bytes).frames
        #expect(frames.count == 1)
        if case .error(let read) = frames.first {
            #expect(failure.message.hasPrefix(read.message))
            #expect(read.code == failure.code)
        }
    }

    @Test("a message that is not UTF-8 is taken, with replacements")
    func brokenMessage() {
        let bytes = RawFrame(type: 0x04, body: hex("0008 0003 61 FF 62")).bytes
        let failure = SessionFailure(code: WireCode(.busy), message: "a\u{FFFD}b")
        #expect(Decoded(behindPreamble: bytes).frames == [.error(failure)])
    }
}
