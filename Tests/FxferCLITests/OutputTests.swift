import FxferProtocol
import Testing

@testable import FxferCLI

@Suite("what people and scripts read")
struct OutputTests {
    @Test("a checksum line is what sha256sum prints")
    func checksumLine() {
        let line = ChecksumLine.bytes(.ofNothing, Array("a b".utf8), forTerminal: false)
        #expect(String(decoding: line, as: UTF8.self) == "\(Digest.ofNothing.hex)  a b\n")
    }

    @Test("a name with a backslash is escaped as sha256sum does")
    func checksumLineWithBackslash() {
        let line = ChecksumLine.bytes(.ofNothing, Array(#"a\b"#.utf8), forTerminal: false)
        #expect(String(decoding: line, as: UTF8.self) == #"\\#(Digest.ofNothing.hex)  a\\b"# + "\n")
    }

    @Test("a name that is not UTF-8 is printed byte for byte into a pipe, and escaped on a terminal")
    func bytes() {
        let path: [UInt8] = [0x61, 0xFF, 0xC2, 0x9B]
        let piped = ChecksumLine.bytes(.ofNothing, path, forTerminal: false)
        #expect(Array(piped.suffix(5)) == [0x61, 0xFF, 0xC2, 0x9B, 0x0A])
        let shown = ChecksumLine.bytes(.ofNothing, path, forTerminal: true)
        #expect(String(decoding: shown, as: UTF8.self).hasSuffix(#"  a\xff\xc2\x9b"# + "\n"))
    }

    @Test(
        "sizes have binary units",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_048_575, "1.0 MiB"), (1_572_864, "1.5 MiB"),
            (.max, "16.0 EiB"),
        ] as [(UInt64, String)]
    )
    func sizes(bytes: UInt64, text: String) {
        #expect(HumanText.size(bytes) == text)
    }

    @Test(
        "times have minutes and seconds",
        arguments: [(0, "0:00"), (7, "0:07"), (61, "1:01"), (3753, "1:02:33")] as [(Int64, String)]
    )
    func times(seconds: Int64, text: String) {
        #expect(HumanText.time(.seconds(seconds)) == text)
    }

    @Test("the progress line shows verified bytes, rate and time left, and keeps within the terminal")
    func progress() {
        let path = "folder/a-long-name-of-a-file.bin"
        let line = ProgressBar.line(path, verified: 1 << 20, of: 4 << 20, in: .seconds(1), width: 120)
        #expect(line == "folder/a-long-name-of-a-file.bin 25%  1.0 MiB of 4.0 MiB verified  1.0 MiB/s  0:03 left")
        #expect(ProgressBar.line(path, verified: 1 << 20, of: 4 << 20, in: .seconds(1), width: 80).count < 80)
        #expect(ProgressBar.line(path, verified: .max, of: .max, in: .seconds(0), width: 80).count > 0)
    }

    @Test("where the total is not known there is neither a percentage nor a time left")
    func progressWithoutTotal() {
        let line = { (width: Int) in
            ProgressBar.line("stream", verified: 3 << 20, of: nil, in: .seconds(2), width: width)
        }
        #expect(line(80) == "stream 3.0 MiB verified  1.5 MiB/s")
        #expect(line(29) == "3.0 MiB verified  1.5 MiB/s")
        #expect(line(11) == "1.5 MiB/s")
        #expect(line(5) == "")
    }

    @Test(
        "the progress line is never as wide as the terminal",
        arguments: [1, 2, 5, 10, 20, 40, 79],
        [nil, 0, 1 << 30]
    )
    func progressWidth(width: Int, total: UInt64?) {
        let name = "漢字 and a long name"
        let line = ProgressBar.line(name, verified: 1 << 20, of: total, in: .seconds(1), width: width)
        #expect(DisplayWidth.columns(of: line) < width)
    }
}
