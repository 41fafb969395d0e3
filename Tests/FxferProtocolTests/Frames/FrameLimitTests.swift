import FxferProtocol
import NIOCore
import Testing

@Suite("Limits of frames")
struct FrameLimitTests {
    @Test("a body of 65,536 bytes is taken")
    func longestBody() {
        let frame = RawFrame(type: 0xFE, body: Array(repeating: 0x61, count: 65_536))
        let decoded = Decoded(behindPreamble: frame.bytes + Frame.bye.bytes)
        #expect(decoded.events == [.frame(.bye)])
        #expect(decoded.code == nil)
    }

    @Test("a longer body is refused by its header alone", arguments: [65_537, 1 << 31, .max] as [UInt32])
    func tooLongBody(length: UInt32) {
        let frame = RawFrame(type: 0xFE, announcedLength: length)
        #expect(Decoded(behindPreamble: Array(frame.bytes.prefix(12))).code == .limitExceeded)
    }

    @Test("a lower limit of the owner's holds instead, and no higher one does", arguments: [8192, 100_000] as [UInt32])
    func ownLimit(limit: UInt32) throws {
        let effective = min(limit, 65_536)
        var decoder = FrameDecoder(maxBodyLength: limit)
        let longest = RawFrame(type: 0xFE, body: Array(repeating: 0x61, count: Int(effective)))
        let longer = RawFrame(type: 0xFE, announcedLength: effective + 1)
        decoder.append(ByteBuffer(bytes: Preamble.bytes + longest.bytes + Frame.bye.bytes + longer.bytes.prefix(12)))
        #expect(try decoder.next() == .frame(.bye))
        let error = #expect(throws: FxferError.self) { try decoder.next() }
        #expect(error?.code == .limitExceeded)
    }

    @Test("the decoder holds no more than one control frame", arguments: [Pieces.single, .random(seed: 1)])
    func memory(pieces: Pieces) throws {
        let frame = RawFrame(type: 0xFE, body: Array(repeating: 0x61, count: 60_000)).bytes
        let payload = Array(repeating: UInt8(0x62), count: 100_000)
        let chunk = Frame.chunk(Chunk(file: 1, offset: 0, length: 100_000)).bytes
        let stream = Preamble.bytes + frame + chunk + payload + Digest.ofNothing.bytes + frame

        var decoder = FrameDecoder()
        var most = 0
        for piece in pieces.cut(ByteBuffer(bytes: stream)) {
            decoder.append(piece)
            while try decoder.next() != nil {}
            let held = Mirror(reflecting: decoder).descendant("partial") as? ByteBuffer
            most = max(most, try #require(held).readableBytes)
        }
        #expect(most < frame.count)
        #expect(decoder.isAtBoundary)
    }

    @Test("payload is passed on as it comes")
    func streaming() throws {
        let chunk = Frame.chunk(Chunk(file: 1, offset: 0, length: 3))
        var decoder = FrameDecoder()
        decoder.append(ByteBuffer(bytes: Preamble.bytes + chunk.bytes + [1]))
        #expect(try decoder.next() == .frame(chunk))
        #expect(try decoder.next() == .payload(ByteBuffer(bytes: [1])))
        #expect(try decoder.next() == nil)
        #expect(!decoder.isAtBoundary)
        decoder.append(ByteBuffer(bytes: [2, 3] + Digest.ofNothing.bytes.dropLast()))
        #expect(try decoder.next() == .payload(ByteBuffer(bytes: [2, 3])))
        #expect(try decoder.next() == nil)
        decoder.append(ByteBuffer(bytes: Digest.ofNothing.bytes.suffix(1)))
        #expect(try decoder.next() == .payloadEnd(.ofNothing))
        #expect(decoder.isAtBoundary)
    }

    @Test("a file of up to 2^60 bytes may be offered", arguments: [0, 1, 1 << 60] as [UInt64])
    func size(size: UInt64) {
        let decoded = Decoded(behindPreamble: Self.offer(size: size).bytes)
        #expect(decoded.frames == [.offer(Offer(file: 1, path: [0x61], attributes: FileAttributes(size: size)))])
    }

    @Test("a larger file is refused", arguments: [1 << 60 + 1, 1 << 63 - 1, 1 << 63, .max] as [UInt64])
    func tooLarge(size: UInt64) {
        let decoded = Decoded(behindPreamble: Self.offer(size: size).bytes)
        #expect(decoded.code == .limitExceeded)
        #expect(decoded.events.isEmpty)
    }

    @Test("a chunk has 1 byte to 16 MiB", arguments: [1, 65_536, 16_777_216] as [UInt32])
    func chunkLength(length: UInt32) {
        let decoded = Decoded(behindPreamble: Frame.chunk(Chunk(file: 1, offset: 0, length: length)).bytes)
        #expect(decoded.frames == [.chunk(Chunk(file: 1, offset: 0, length: length))])
    }

    @Test(
        "a chunk of another length is refused",
        arguments: [(0, .protocolViolation), (16_777_217, .limitExceeded), (.max, .limitExceeded)]
            as [(UInt32, FxferError.Code)]
    )
    func wrongChunkLength(length: UInt32, code: FxferError.Code) {
        let decoded = Decoded(behindPreamble: Frame.chunk(Chunk(file: 1, offset: 0, length: length)).bytes)
        #expect(decoded.code == code)
        #expect(decoded.events.isEmpty)
    }

    @Test("a chunk behind the largest file is refused", arguments: [1 << 60 + 1, 1 << 63, .max] as [UInt64])
    func chunkOffset(offset: UInt64) {
        let decoded = Decoded(behindPreamble: Frame.chunk(Chunk(file: 1, offset: offset, length: 1)).bytes)
        #expect(decoded.code == .limitExceeded)
    }

    @Test("any number may stand in the other frames", arguments: [0, 1 << 60 + 1, 1 << 63, .max] as [UInt64])
    func numbers(number: UInt64) {
        let prefix = FilePrefix(length: number, digest: .ofNothing)
        let frames: [Frame] = [
            .accept(Accept(file: .max, prefix: prefix)),
            .confirm(FilePosition(file: .max, offset: number)),
            .rewind(FilePosition(file: .max, offset: number)),
            .finish(Finish(file: .max, content: prefix)),
            .receipt(Receipt(file: .max, outcome: .stored, content: prefix, path: [])),
        ]
        #expect(Decoded(behindPreamble: frames.flatMap(\.bytes)).frames == frames)
    }

    private static func offer(size: UInt64) -> Frame {
        .offer(Offer(file: 1, path: [0x61], attributes: FileAttributes(size: size)))
    }
}
