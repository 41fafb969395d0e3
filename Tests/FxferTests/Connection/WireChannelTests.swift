import FxferProtocol
import NIOCore
import NIOEmbedded
import Testing

@testable import Fxfer

@Suite("What a connection writes")
struct WireChannelTests {
    /// A connection in memory; each element of ``writes()`` is one write to the socket.
    private final class Subject {
        let channel = EmbeddedChannel()
        let wire: WireChannel

        init() throws {
            self.wire = try WireChannel(wrapping: self.channel)
        }

        func writes() throws -> [[UInt8]] {
            var writes: [[UInt8]] = []
            while let bytes = try self.channel.readOutbound(as: ByteBuffer.self) {
                writes.append(Array(bytes.readableBytesView))
            }
            return writes
        }
    }

    private static func bytes(_ frames: Frame...) -> [UInt8] {
        var buffer = ByteBuffer()
        for frame in frames { frame.write(into: &buffer) }
        return Array(buffer.readableBytesView)
    }

    private static let chunk = Chunk(file: 1, offset: 0, length: 3)
    private static let payload = ByteBuffer(bytes: [1, 2, 3])
    private static let position = Frame.confirm(FilePosition(file: 1, offset: 3))

    @Test("frames are gathered into one write until they are flushed")
    func gathering() throws {
        let subject = try Subject()
        subject.wire.writePreamble()
        subject.wire.write(.alive)
        subject.wire.write(Self.position)
        subject.wire.write(.bye)
        #expect(try subject.writes() == [])
        subject.wire.flush()
        #expect(try subject.writes() == [Preamble.bytes + Self.bytes(.alive, Self.position, .bye)])
    }

    @Test("a flush with nothing gathered writes nothing")
    func nothing() throws {
        let subject = try Subject()
        subject.wire.flush()
        subject.wire.write(.alive)
        subject.wire.flush()
        subject.wire.flush()
        #expect(try subject.writes() == [Self.bytes(.alive)])
    }

    @Test("a digest alone does not go out after answers, but with the next chunk or whatever else is said")
    func digest() throws {
        let subject = try Subject()
        subject.wire.write(payload: Self.payload)
        subject.wire.write(digest: .ofNothing)
        subject.wire.flushAnswers()
        #expect(try subject.writes() == [[1, 2, 3]])
        subject.wire.write(.chunk(Self.chunk))
        subject.wire.write(payload: Self.payload)
        #expect(try subject.writes() == [Digest.ofNothing.bytes + Self.bytes(.chunk(Self.chunk)), [1, 2, 3]])
        subject.wire.write(digest: .ofNothing)
        subject.wire.write(Self.position)
        subject.wire.flushAnswers()
        #expect(try subject.writes() == [Digest.ofNothing.bytes + Self.bytes(Self.position)])
        subject.wire.write(digest: .ofNothing)
        subject.wire.flush()
        #expect(try subject.writes() == [Digest.ofNothing.bytes])
    }

    @Test("payload is not copied: it goes out at once, behind what was gathered and before its digest")
    func payload() throws {
        let subject = try Subject()
        subject.wire.write(.alive)
        subject.wire.write(.chunk(Self.chunk))
        subject.wire.write(payload: Self.payload)
        subject.wire.write(digest: .ofNothing)
        subject.wire.write(Self.position)
        #expect(try subject.writes() == [Self.bytes(.alive, .chunk(Self.chunk)), [1, 2, 3]])
        subject.wire.flush()
        #expect(try subject.writes() == [Digest.ofNothing.bytes + Self.bytes(Self.position)])
    }

    @Test("the pieces of a chunk follow each other in their order")
    func pieces() throws {
        let subject = try Subject()
        subject.wire.write(.chunk(Self.chunk))
        for byte in [1, 2, 3] as [UInt8] {
            subject.wire.write(payload: ByteBuffer(bytes: [byte]))
        }
        subject.wire.write(digest: .ofNothing)
        subject.wire.flush()
        #expect(try subject.writes() == [Self.bytes(.chunk(Self.chunk)), [1], [2], [3], Digest.ofNothing.bytes])
    }

    @Test("a small chunk is gathered like a frame")
    func smallChunk() throws {
        let subject = try Subject()
        subject.wire.write(Self.position)
        subject.wire.write(copying: Self.payload, as: Self.chunk, .ofNothing)
        subject.wire.write(.bye)
        #expect(try subject.writes() == [])
        subject.wire.flush()
        let chunk = Self.bytes(.chunk(Self.chunk)) + [1, 2, 3] + Digest.ofNothing.bytes
        #expect(try subject.writes() == [Self.bytes(Self.position) + chunk + Self.bytes(.bye)])
    }

    @Test(
        "an error goes out behind what was gathered, with the preamble where that was not sent",
        arguments: [false, true]
    )
    func end(hasGreeted: Bool) throws {
        let subject = try Subject()
        if hasGreeted { subject.wire.write(.alive) }
        let error = FxferError(.busy, "too busy")
        subject.wire.end(with: error, hasGreeted: hasGreeted)
        let before = hasGreeted ? Self.bytes(.alive) : Preamble.bytes
        #expect(try subject.writes() == [before + Self.bytes(.error(SessionFailure(error)))])
    }
}
