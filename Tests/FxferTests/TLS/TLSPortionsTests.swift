import NIOCore
import NIOEmbedded
import Testing

@testable import Fxfer

@Suite("What goes into TLS and comes out of it")
struct TLSPortionsTests {
    @Test("a large write goes in by portions, in order, and its promise is that of the last")
    func writes() throws {
        let channel = EmbeddedChannel(handler: TLSPortions())
        let bytes = ByteBuffer(bytes: (0..<600_000).map { UInt8(truncatingIfNeeded: $0 >> 8) })
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.write(bytes, promise: promise)
        var found = ByteBuffer()
        var sizes: [Int] = []
        while var portion = try channel.readOutbound(as: ByteBuffer.self) {
            sizes.append(portion.readableBytes)
            found.writeBuffer(&portion)
        }
        #expect(sizes == [262_144, 262_144])
        channel.flush()
        var rest = try #require(try channel.readOutbound(as: ByteBuffer.self))
        found.writeBuffer(&rest)
        #expect(found == bytes)
        try promise.futureResult.wait()
        #expect(try channel.finish().isClean)
    }

    @Test("what comes out has memory of its own")
    func reads() throws {
        let channel = EmbeddedChannel(handler: TLSPortions())
        var plaintext = ByteBuffer(bytes: [1, 2, 3])
        try channel.writeInbound(plaintext)
        let passed = try #require(try channel.readInbound(as: ByteBuffer.self))
        plaintext.setInteger(UInt8(9), at: 0)
        #expect(passed == ByteBuffer(bytes: [1, 2, 3]))
        let memory = (plaintext, passed)
        #expect(
            memory.0.withUnsafeReadableBytes { $0.baseAddress } != memory.1.withUnsafeReadableBytes { $0.baseAddress }
        )
        #expect(try channel.finish().isClean)
    }
}
