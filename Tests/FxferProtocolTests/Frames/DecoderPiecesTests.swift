import FxferProtocol
import NIOCore
import Testing

@Suite("Streams in pieces")
struct DecoderPiecesTests {
    static let stream: [UInt8] = {
        var generator = SeededGenerator(seed: 7)
        let frames = Frame.samples.flatMap { frame -> [UInt8] in
            guard case .chunk(let chunk) = frame else { return frame.bytes }
            return frame.bytes + generator.bytes(Int(chunk.length)) + Digest.ofNothing.bytes
        }
        let chunk = Frame.chunk(Chunk(file: 9, offset: 0, length: 3000)).bytes
        let unknown = RawFrame(type: 0xA0, body: generator.bytes(500)).bytes
        return Preamble.bytes + frames + unknown + chunk + generator.bytes(3000) + Digest.ofNothing.bytes + frames
    }()

    @Test("one byte at a time gives the same events as all at once")
    func single() {
        let whole = Decoded(Self.stream)
        #expect(whole.code == nil)
        #expect(whole.isAtBoundary)
        #expect(whole.frames.count == 2 * Frame.samples.count + 1)
        #expect(Decoded(Self.stream, .single) == whole)
    }

    @Test("random pieces give the same events as all at once", arguments: 0..<50 as Range<UInt64>)
    func random(seed: UInt64) {
        #expect(Decoded(Self.stream, .random(seed: seed)) == Decoded(Self.stream))
    }

    @Test("a violation is the same in any pieces", arguments: [Pieces.single, .random(seed: 1), .random(seed: 2)])
    func violation(pieces: Pieces) {
        let stream = Self.stream + RawFrame(type: 0x7F).bytes + Self.stream
        let whole = Decoded(stream)
        #expect(whole.code == .protocolViolation)
        #expect(Decoded(stream, pieces) == whole)
    }

    @Test("what came in is let go of with its last byte", arguments: [0, 1])
    func lettingGo(missing: Int) throws {
        let chunk = Frame.chunk(Chunk(file: 9, offset: 0, length: 3000))
        let rest = [UInt8](repeating: 2, count: 3000) + Digest.ofNothing.bytes.dropLast(missing)
        var bytes = ByteBuffer(bytes: Preamble.bytes + chunk.bytes + rest)
        var decoder = FrameDecoder()
        decoder.append(bytes)
        var events = 0
        while try decoder.next() != nil { events += 1 }
        #expect(events == 3 - missing)
        #expect(bytes.modifyIfUniquelyOwned { _ in true } == true)
    }

    @Test("payload can be asked for alone, and nothing else comes by that")
    func payloadAlone() throws {
        let chunk = Frame.chunk(Chunk(file: 9, offset: 0, length: 3000))
        var decoder = FrameDecoder()
        decoder.append(ByteBuffer(bytes: Preamble.bytes + chunk.bytes + [UInt8](repeating: 1, count: 1000)))
        #expect(decoder.nextPayload() == nil)
        #expect(!decoder.awaitsPayload)
        #expect(try decoder.next() == .frame(chunk))
        #expect(!decoder.awaitsPayload)
        #expect(decoder.nextPayload()?.readableBytes == 1000)
        #expect(decoder.nextPayload() == nil)
        #expect(decoder.awaitsPayload)
        let rest = [UInt8](repeating: 2, count: 2000) + Digest.ofNothing.bytes
        decoder.append(ByteBuffer(bytes: rest + Frame.bye.bytes))
        #expect(decoder.nextPayload() == ByteBuffer(repeating: 2, count: 2000))
        #expect(decoder.nextPayload() == nil)
        #expect(!decoder.awaitsPayload)
        #expect(try decoder.next() == .payloadEnd(.ofNothing))
        #expect(try decoder.next() == .frame(.bye))
        #expect(decoder.isAtBoundary)
    }

    @Test("a stream may end before its first byte and between frames, nowhere else")
    func boundaries() {
        let bye = Frame.bye.bytes
        let stream = Preamble.bytes + bye + bye
        let ends = (0...stream.count).filter { Decoded(Array(stream.prefix($0))).isAtBoundary }
        #expect(ends == [0, 8, 24, 40])
    }

    @Test("a stream may not end inside a chunk")
    func insideChunk() {
        let stream = Preamble.bytes + Frame.chunk(Chunk(file: 1, offset: 0, length: 2)).bytes + [1, 2]
        let complete = stream + Digest.ofNothing.bytes
        let ends = (stream.count - 3...complete.count).filter { Decoded(Array(complete.prefix($0))).isAtBoundary }
        #expect(ends == [complete.count])
    }
}
