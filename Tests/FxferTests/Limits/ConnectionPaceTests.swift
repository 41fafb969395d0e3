import FxferProtocol
import NIOCore
import Testing

@testable import Fxfer

@Suite("a connection has a least pace in both directions")
struct ConnectionPaceTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private static let idle = OutputProgress(takenWrites: 0, takenBytes: 0, waitingBytes: 0)
    private var pace = ConnectionPace(minRate: 1000, idleTimeout: .seconds(60))
    private var decoder = FrameDecoder()

    /// Bytes come in and are looked at; then more are waited for.
    private mutating func hear(_ bytes: [UInt8], at seconds: Int64) throws {
        self.pace.heard(now: Self.start + .seconds(seconds))
        self.decoder.append(ByteBuffer(bytes: bytes))
        while let event = try self.decoder.next() { self.pace.took(event) }
        self.pace.waits(for: self.decoder, now: Self.start + .seconds(seconds))
    }

    private mutating func code(_ output: OutputProgress = Self.idle, at seconds: Int64) -> FxferError.Code? {
        self.pace.check(output, now: Self.start + .seconds(seconds))?.code
    }

    private static func bytes(_ frame: Frame) -> [UInt8] {
        var buffer = ByteBuffer()
        frame.write(into: &buffer)
        return Array(buffer.readableBytesView)
    }

    @Test("between two frames a client owes nothing, for ever")
    mutating func boundary() throws {
        try self.hear(Preamble.bytes, at: 0)
        #expect(self.code(at: 100_000) == nil)
        try self.hear(Self.bytes(.alive), at: 100_000)
        #expect(self.code(at: 200_000) == nil)
    }

    @Test("a frame that drips is too slow, however often something comes")
    mutating func drippingFrame() throws {
        try self.hear(Preamble.bytes, at: 0)
        for (second, byte) in Self.bytes(.alive).prefix(11).enumerated() {
            try self.hear([byte], at: Int64(second))
        }
        #expect(self.code(at: 10) == nil)
        #expect(self.code(at: 11) == .timedOut)
    }

    @Test("a chunk that drips is too slow, and one that flows is not", arguments: [(900, true), (1100, false)])
    mutating func drippingPayload(bytesPerSecond: Int, isTooSlow: Bool) throws {
        let chunk = Frame.chunk(Chunk(file: 1, offset: 0, length: 1 << 20))
        try self.hear(Preamble.bytes + Self.bytes(chunk), at: 0)
        for second in 1...20 {
            try self.hear(Array(repeating: 0, count: bytesPerSecond), at: Int64(second))
        }
        #expect(self.code(at: 20) == (isTooSlow ? .timedOut : nil))
    }

    @Test("bytes that wait for a client that takes none are taken too slowly")
    mutating func unread() throws {
        let output = OutputProgress(takenWrites: 3, takenBytes: 100, waitingBytes: 1 << 20)
        for second in 0...10 {
            #expect(self.code(output, at: Int64(second)) == nil)
        }
        #expect(self.code(output, at: 11) == .timedOut)
    }

    @Test("bytes that a client takes at its pace are not", arguments: [(900, true), (1100, false)])
    mutating func slowReader(bytesPerSecond: Int, isTooSlow: Bool) throws {
        var codes: Set<FxferError.Code?> = []
        for second in 0...30 {
            let taken = second * bytesPerSecond
            let output = OutputProgress(takenWrites: 3, takenBytes: taken, waitingBytes: (1 << 20) - taken)
            codes.insert(self.code(output, at: Int64(second)))
        }
        #expect(codes == (isTooSlow ? [nil, .timedOut] : [nil]))
    }

    @Test("each write that was taken begins the time anew, as does a moment without any")
    mutating func writes() throws {
        for second in 0...100 {
            let writes = OutputProgress(takenWrites: second / 9, takenBytes: 0, waitingBytes: 100)
            #expect(self.code(writes, at: Int64(second)) == nil)
        }
        for second in 101...200 {
            let waiting = second.isMultiple(of: 9) ? 0 : 100
            let none = OutputProgress(takenWrites: 7, takenBytes: 0, waitingBytes: waiting)
            #expect(self.code(none, at: Int64(second)) == nil)
        }
    }
}
