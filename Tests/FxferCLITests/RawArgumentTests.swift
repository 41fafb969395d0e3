import Testing

@testable import FxferCLI

@Suite("arguments are bytes")
struct RawArgumentTests {
    @Test(
        "any bytes come back from the argument parser as they went in",
        arguments: [
            Array("plain.txt".utf8),
            Array("naïve – ☃ 🦊".utf8),
            [0xFF, 0xFE, 0x41],
            [0xC3],
            [0xED, 0xA0, 0x80],
            Array("\u{10FF41}".utf8),
            [],
        ] as [[UInt8]]
    )
    func roundTrip(bytes: [UInt8]) {
        #expect(RawArgument(text: RawArgument(bytes: bytes).text).bytes == bytes)
    }

    @Test("text that is UTF-8 is not altered")
    func text() {
        #expect(RawArgument(bytes: Array("--as=naïve".utf8)).text == "--as=naïve")
    }

    @Test("names that differ in their bytes only stay different")
    func normalisation() {
        let composed = RawArgument(bytes: Array("\u{E9}".utf8))
        let decomposed = RawArgument(bytes: Array("e\u{301}".utf8))
        #expect(composed.bytes != decomposed.bytes)
    }
}
