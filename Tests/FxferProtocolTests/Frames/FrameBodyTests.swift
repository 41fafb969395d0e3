import FxferProtocol
import Testing

@Suite("Bodies and fields of frames")
struct FrameBodyTests {
    @Test("a body that ends too early is refused, wherever it ends", arguments: Frame.samples)
    func tooShort(frame: Frame) {
        for length in frame.raw.body.indices {
            var cut = frame.raw
            cut.body = Array(cut.body.prefix(length))
            let decoded = Decoded(behindPreamble: cut.bytes)
            #expect(decoded.code == .protocolViolation, "\(length) bytes")
            #expect(decoded.events.isEmpty, "\(length) bytes")
        }
    }

    @Test("unknown optional fields are skipped", arguments: Frame.samples)
    func optionalFields(frame: Frame) {
        var raw = frame.raw
        raw.body += hex("8000 0000  FFFF 0003 01 02 03")
        let decoded = Decoded(behindPreamble: raw.bytes)
        #expect(decoded.frames == [frame])
        #expect(decoded.code == nil)
    }

    @Test("an unknown critical field is refused", arguments: Frame.samples)
    func criticalField(frame: Frame) {
        var raw = frame.raw
        raw.body += hex("8000 0001 00  0001 0000")
        #expect(Decoded(behindPreamble: raw.bytes).code == .protocolViolation)
    }

    @Test(
        "a field that ends outside its frame is refused",
        arguments: ["80", "8000", "8000 00", "8000 0001", "8000 FFFF 00"]
    )
    func brokenField(field: String) {
        for frame in Frame.samples {
            var raw = frame.raw
            raw.body += hex(field)
            #expect(Decoded(behindPreamble: raw.bytes).code == .protocolViolation, "\(frame.type)")
        }
    }

    @Test("an unknown optional frame is skipped", arguments: [0x82, 0x90, 0xFF] as [UInt8])
    func optionalFrame(type: UInt8) {
        let unknown = RawFrame(type: type, body: [1, 2, 3]).bytes
        let decoded = Decoded(behindPreamble: unknown + Frame.bye.bytes)
        #expect(decoded.events == [.frame(.bye)])
        #expect(decoded.code == nil)
    }

    @Test("an unknown critical frame is refused", arguments: [0x00, 0x06, 0x1B, 0x24, 0x2F, 0x7F] as [UInt8])
    func criticalFrame(type: UInt8) {
        let unknown = RawFrame(type: type, body: [1, 2, 3]).bytes
        let decoded = Decoded(behindPreamble: unknown + Frame.bye.bytes)
        #expect(decoded.events.isEmpty)
        #expect(decoded.code == .protocolViolation)
    }

    static let malformed: [(why: String, frame: RawFrame)] = [
        ("versions the wrong way round", RawFrame(type: 0x01, body: hex("0002 0001") + Array(repeating: 0, count: 44))),
        ("an unknown flag", RawFrame(type: 0x10, body: hex("00000001 41 00") + Self.restOfOffer)),
        ("a folder of unknown size", RawFrame(type: 0x10, body: hex("00000001 08 00") + Self.restOfOffer)),
        ("a folder with content", RawFrame(type: 0x10, body: hex("00000001 09 00 0000") + Self.sizeOfOne)),
        ("quick without the size", RawFrame(type: 0x10, body: hex("00000001 32 00") + Self.restOfOffer)),
        ("quick without the time", RawFrame(type: 0x10, body: hex("00000001 31 00") + Self.restOfOffer)),
        ("quick without waiting", RawFrame(type: 0x10, body: hex("00000001 23 00") + Self.restOfOffer)),
        ("all flags", RawFrame(type: 0x10, body: hex("00000001 FF 00") + Self.restOfOffer)),
        ("a byte that is not zero", RawFrame(type: 0x10, body: hex("00000001 01 01") + Self.restOfOffer)),
        ("an unknown outcome", RawFrame(type: 0x18, body: hex("00000001 03 000000") + Self.restOfReceipt)),
        ("zero bytes that are not", RawFrame(type: 0x18, body: hex("00000001 01 000001") + Self.restOfReceipt)),
        ("ENTRY of an unknown kind", RawFrame(type: 0x22, body: hex("00000001 02 00") + Self.restOfOffer)),
        ("ENTRY with a byte that is not zero", RawFrame(type: 0x22, body: hex("00000001 00 01") + Self.restOfOffer)),
        ("SAME without a whole number", RawFrame(type: 0x19, body: hex("000000"))),
        ("REPAIR without a whole number", RawFrame(type: 0x1A, body: hex("000000"))),
        ("GET whose path is cut", RawFrame(type: 0x20, body: hex("00000001 0002 61"))),
        ("LIST without a path's length", RawFrame(type: 0x21, body: hex("00000001"))),
        ("LISTED whose message is cut", RawFrame(type: 0x23, body: hex("00000001 0000 0001"))),
        ("READING without a whole length", RawFrame(type: 0x81, body: hex("00000001 00000000"))),
        ("BYE with a body", RawFrame(type: 0x05, body: [0])),
        ("ALIVE with a body", RawFrame(type: 0x80, body: [0])),
    ]

    private static let restOfOffer = [UInt8](repeating: 0, count: 22) + hex("0001 61")
    private static let sizeOfOne = hex("0000000000000001") + [UInt8](repeating: 0, count: 12) + hex("0001 61")
    private static let restOfReceipt = [UInt8](repeating: 0, count: 40) + hex("0001 61")

    @Test("a body that makes no sense is refused", arguments: Self.malformed)
    func nonsense(why: String, frame: RawFrame) {
        let decoded = Decoded(behindPreamble: frame.bytes)
        #expect(decoded.code == .protocolViolation, "\(why)")
        #expect(decoded.events.isEmpty)
    }
}
