import Fxfer
import FxferProtocol
import Testing

@testable import FxferCLI

/// Arguments that are made at random of what arguments are made of: each is taken or refused, and nothing traps.
@Suite("Any argument")
struct AnyArgumentTests {
    private static let pieces =
        ["", "0", "1", "9", "18446744073709551615", "1152921504606846976", "9223372036854775807", ".", "-", "+", " "]
        + ["e", "K", "k", "MiB", "GB", "T", "P", "/s", "b", "ib", "s", "m", "h", "d", "\u{301}", "٣", "½", "\u{212A}"]
        + [":", "[", "]", "::1", "host", "*", "/", "..", "a", "%", "\u{10FF41}", "inf", "nan", "0x1p3"]

    /// SplitMix64 (Steele, Lea, Flood 2014).
    private struct SeededGenerator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state &+= 0x9E37_79B9_7F4A_7C15
            var value = self.state
            value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
            return value ^ value >> 31
        }
    }

    @Test("is taken within its limits, or refused", arguments: 0..<4 as Range<UInt64>)
    func texts(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        for _ in 0..<3000 {
            let count = Int.random(in: 0...6, using: &generator)
            let text = (0..<count).map { _ in Self.pieces.randomElement(using: &generator) ?? "" }.joined()
            if let size = SizeArgument(argument: text) { #expect(size.bytes <= 1 << 60, "\(text)") }
            if let rate = RateArgument(argument: text) {
                #expect((1024...(1 << 60)).contains(rate.bytesPerSecond), "\(text)")
            }
            if let span = DurationArgument(argument: text) {
                #expect((0...31_536_000_000).contains(span.seconds), "\(text)")
            }
            if let address = ListenAddress(argument: text) { #expect((0...65_535).contains(address.port), "\(text)") }
            if let destination = try? Destination(RawArgument(text: text)) {
                #expect(Endpoint(parsing: destination.endpoint.description) == destination.endpoint, "\(text)")
            }
        }
    }

    @Test("is carried through text without loss, whatever its bytes are", arguments: 0..<4 as Range<UInt64>)
    func bytes(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        for _ in 0..<3000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...6, using: &generator) {
                if Bool.random(using: &generator) {
                    bytes += Array((Self.pieces.randomElement(using: &generator) ?? "").utf8)
                } else {
                    bytes.append(.random(in: 1...255, using: &generator))
                }
            }
            #expect(RawArgument(text: RawArgument(bytes: bytes).text).bytes == bytes)
        }
    }
}
