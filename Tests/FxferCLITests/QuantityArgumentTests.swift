import Fxfer
import Testing

@testable import FxferCLI

@Suite("amounts, rates, times and digests on the command line")
struct QuantityArgumentTests {
    @Test(
        "an amount has binary units, or decimal ones with a B",
        arguments: [
            ("0", 0), ("4096", 4096), ("1B", 1), ("64K", 65_536), ("64k", 65_536), ("10MiB", 10 << 20),
            ("10mib", 10 << 20), ("1.5G", 3 << 29), ("5MB", 5_000_000), ("2kb", 2000), ("1T", 1 << 40),
            ("1P", 1 << 50), ("1024P", 1 << 60), (".5K", 512), ("1152921504606846976", 1 << 60), ("007", 7),
        ] as [(String, UInt64)]
    )
    func size(text: String, bytes: UInt64) {
        #expect(SizeArgument(argument: text)?.bytes == bytes)
        #expect(SizeArgument(argument: text)?.description == text)
    }

    @Test(
        "an amount that makes no sense is not taken",
        arguments: [
            "", " ", "-1", "+1", "x", "K", "MiB", "1X", "1KK", "1KiBB", "1 K", "1,5K", "1.2.3", ".", "1e3", "0x10",
            "nan",
            "inf", "1025P", "1E", "1152921504606847233", "99999999999999999999999", "٣", "1\u{301}",
        ]
    )
    func badSize(text: String) {
        #expect(SizeArgument(argument: text) == nil)
    }

    @Test(
        "a rate is an amount a second",
        arguments: [("10MiB", 10 << 20), ("10MiB/s", 10 << 20), ("1K", 1024), ("2kb/s", 2000)] as [(String, UInt64)]
    )
    func rate(text: String, bytes: UInt64) {
        #expect(RateArgument(argument: text)?.bytesPerSecond == bytes)
    }

    @Test(
        "a rate of next to nothing, or without sense, is not taken",
        arguments: ["", "0", "1", "1023", "1kb", "0.9K", "/s", "10M/", "10M/m", "10M/s/s", "-10M", "x/s"]
    )
    func badRate(text: String) {
        #expect(RateArgument(argument: text) == nil)
    }

    @Test(
        "a time has units, or is in seconds",
        arguments: [
            ("0", 0), ("30", 30), ("30s", 30), ("2m", 120), ("24h", 86_400), ("7d", 604_800), ("1h30m", 5400),
            ("1d1h1m1s", 90_061), ("1m30", 90), ("1s1s", 2), ("365000d", 31_536_000_000),
        ] as [(String, Int64)]
    )
    func duration(text: String, seconds: Int64) {
        #expect(DurationArgument(argument: text)?.seconds == seconds)
        #expect(DurationArgument(argument: text)?.duration == .seconds(seconds))
        #expect(DurationArgument(argument: text)?.description == text)
    }

    @Test(
        "a time that makes no sense is not taken",
        arguments: [
            "", " ", "-1", "+1", "1.5h", "s", "h1", "1x", "1ms", "1 h", "1h ", "365001d", "9223372036854775807",
            "9223372036854775807d", "1s9223372036854775807", "9999999999999999999", "1w", "٣", "1H",
        ]
    )
    func badDuration(text: String) {
        #expect(DurationArgument(argument: text) == nil)
    }

    private static let digits = Digest.ofNothing.hex

    @Test("a digest is 64 hexadecimal digits", arguments: [digits, digits.uppercased()])
    func digest(text: String) {
        #expect(DigestArgument(argument: text)?.digest == .ofNothing)
    }

    private static let noDigests: [String] = [
        "",
        String(digits.dropLast()),
        "\(digits)0",
        "0x\(digits.dropFirst(2))",
        "\(digits.dropLast())g",
        " \(digits.dropFirst())",
        "\(digits) ",
        "sha256:\(digits)",
        "\(digits.dropLast(3))１",
        "\(digits.dropLast(2))é",
    ]

    @Test("anything else is no digest", arguments: noDigests)
    func badDigest(text: String) {
        #expect(DigestArgument(argument: text) == nil)
    }
}
