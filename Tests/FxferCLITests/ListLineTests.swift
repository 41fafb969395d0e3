import FxferProtocol
import Testing

@testable import Fxfer
@testable import FxferCLI

@Suite("lines of a listing")
struct ListLineTests {
    private static func entry(
        _ name: [UInt8],
        isFolder: Bool = false,
        permissions: UInt16 = 0o640,
        size: UInt64 = 1234,
        seconds: Int64 = 1_700_000_000
    ) -> ListedEntry {
        ListedEntry(
            Entry(
                listing: 1,
                kind: isFolder ? .folder : .file,
                permissions: permissions,
                size: size,
                modified: FileTime(seconds: seconds, nanoseconds: 5),
                name: name
            )
        )
    }

    @Test("a file has permissions, size, time and name")
    func file() {
        let line = ListLine(Self.entry(Array("a b".utf8))).text(asJSON: false)
        #expect(line == "-rw-r-----            1234  2023-11-14 22:13:20  a b")
    }

    @Test("a folder has a slash, and no size")
    func folder() {
        let line = ListLine(Self.entry([0x64], isFolder: true, permissions: 0o755, size: 0)).text(asJSON: false)
        #expect(line == "drwxr-xr-x               -  2023-11-14 22:13:20  d/")
    }

    @Test("a name does nothing to a terminal, and a line stays one")
    func escaped() {
        let line = ListLine(Self.entry([0x61, 0x1B, 0x0A, 0xFF])).text(asJSON: false)
        #expect(line.hasSuffix(#"  a\x1b\x0a\xff"#))
    }

    @Test("the largest size moves the line, but is whole")
    func largest() {
        let line = ListLine(Self.entry([0x61], permissions: 0, size: .max)).text(asJSON: false)
        #expect(line == "----------  18446744073709551615  2023-11-14 22:13:20  a")
    }

    @Test("a line of JSON has everything")
    func json() {
        let line = ListLine(Self.entry([0x61, 0xFF], permissions: 0o7)).text(asJSON: true)
        for part in [
            #""event":"entry""#, #""name":"a\\xff""#, #""kind":"file""#, #""size":1234"#, #""mode":"0007""#,
            #""modified":"2023-11-14T22:13:20Z""#,
        ] {
            #expect(line.contains(part), "\(part)")
        }
        #expect(ListLine(Self.entry([0x61], isFolder: true)).text(asJSON: true).contains(#""kind":"folder""#))
    }

    @Test(
        "times are in UTC, to the second, from any year",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (1_700_000_000, "2023-11-14T22:13:20Z"),
            (951_782_400, "2000-02-29T00:00:00Z"), (4_294_967_296, "2106-02-07T06:28:16Z"),
            (253_402_300_800, "10000-01-01T00:00:00Z"), (-62_167_219_200, "0000-01-01T00:00:00Z"),
            (-62_167_219_201, "-0001-12-31T23:59:59Z"), (.max, "1970-01-01T00:00:00Z"), (.min, "1970-01-01T00:00:00Z"),
        ] as [(Int64, String)]
    )
    func times(seconds: Int64, text: String) {
        #expect(UTCTime(seconds: seconds).iso8601 == text)
        #expect(UTCTime(seconds: seconds).text + "Z" == text.replacing("T", with: " "))
    }
}
