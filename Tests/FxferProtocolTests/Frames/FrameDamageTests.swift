import FxferProtocol
import Testing

@Suite("Damaged frames")
struct FrameDamageTests {
    @Test("a flipped bit anywhere in a frame is noticed", arguments: Frame.samples)
    func everyBit(frame: Frame) {
        let bytes = frame.bytes
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            let decoded = Decoded(behindPreamble: damaged)
            #expect(decoded.code == .damaged, "bit \(bit)")
            #expect(decoded.events.isEmpty, "bit \(bit)")
        }
    }

    @Test("a damaged length is noticed before its bytes are waited for", arguments: 0..<32)
    func length(bit: Int) {
        var header = Array(Frame.bye.bytes.prefix(12))
        header[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(Decoded(behindPreamble: header).code == .damaged)
    }

    @Test("a flipped bit of the preamble is noticed at that byte", arguments: 0..<64)
    func preamble(bit: Int) {
        var bytes = Preamble.bytes
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(Decoded(Array(bytes.prefix(bit / 8))).code == nil)
        #expect(Decoded(Array(bytes.prefix(bit / 8 + 1))).code == .protocolViolation)
    }

    @Test(
        "a stranger is known by its first bytes",
        arguments: ["GET / HTTP/1.1\r\n", "SSH-2.0-OpenSSH\r\n", "\u{16}\u{3}\u{1}", "\n", "\0"]
    )
    func stranger(greeting: String) {
        #expect(Decoded(Array(greeting.utf8)).code == .protocolViolation)
        #expect(Decoded(Array(greeting.utf8), .single).code == .protocolViolation)
    }

    @Test("line ends that were changed on the way are noticed")
    func lineEnds() {
        #expect(Decoded(hex("F8 46 58 46 0A 1A 0A")).code == .protocolViolation)
        #expect(Decoded(hex("F8 46 58 46 0D 0D 0A 1A 0D 0A")).code == .protocolViolation)
        #expect(Decoded(hex("78 46 58 46 0D 0A 1A 0A")).code == .protocolViolation)
    }

    @Test("bytes that are not zero where zero is reserved are refused", arguments: 0..<3)
    func reservedBytes(index: Int) {
        var frame = RawFrame(type: 0x05)
        frame.zero[index] = 1
        #expect(Decoded(behindPreamble: frame.bytes).code == .protocolViolation)
    }

    @Test("after a violation the decoder answers nothing, whatever comes")
    func silence() throws {
        var decoder = FrameDecoder()
        decoder.append(.init(bytes: Preamble.bytes + RawFrame(type: 0x7F).bytes + Frame.bye.bytes))
        let error = #expect(throws: FxferError.self) { try decoder.next() }
        #expect(error?.code == .protocolViolation)
        #expect(try decoder.next() == nil)
        decoder.append(.init(bytes: Preamble.bytes + Frame.bye.bytes))
        #expect(try decoder.next() == nil)
        decoder.append(.init(bytes: Frame.bye.bytes))
        #expect(try decoder.next() == nil)
        #expect(!decoder.isAtBoundary)
    }
}
