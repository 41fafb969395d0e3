import FxferProtocol
import Testing

@Suite("A time as text")
struct FileTimeTextTests {
    @Test(
        "is a date in UTC",
        arguments: [
            (0, 0, "1970-01-01T00:00:00.000000000Z"), (1_700_000_000, 5, "2023-11-14T22:13:20.000000005Z"),
            (951_782_400, 0, "2000-02-29T00:00:00.000000000Z"), (-1, 999_999_999, "1969-12-31T23:59:59.999999999Z"),
            (4_107_542_399, 0, "2100-02-28T23:59:59.000000000Z"), (4_107_542_400, 0, "2100-03-01T00:00:00.000000000Z"),
            (253_402_300_799, 0, "9999-12-31T23:59:59.000000000Z"),
            (-62_167_219_200, 0, "0000-01-01T00:00:00.000000000Z"),
        ] as [(Int64, UInt32, String)]
    )
    func dates(seconds: Int64, nanoseconds: UInt32, text: String) {
        let time = FileTime(seconds: seconds, nanoseconds: nanoseconds)
        #expect(time.rfc3339 == text)
        #expect(FileTime(rfc3339: text) == time)
    }

    @Test("has no date beyond the years that have four digits", arguments: [Int64.min, Int64.max])
    func beyond(seconds: Int64) {
        let time = FileTime(seconds: seconds, nanoseconds: 0)
        #expect(time.rfc3339 == (seconds > 0 ? "9999-12-31T23:59:59.000000000Z" : "0000-01-01T00:00:00.000000000Z"))
        #expect(FileTime(decimal: time.decimal) == time)
    }

    @Test(
        "is refused where there is no such date, or in another form",
        arguments: [
            "2023-02-29T00:00:00.000000000Z", "2023-13-01T00:00:00.000000000Z", "2023-01-01T24:00:00.000000000Z",
            "2023-01-01T00:00:60.000000000Z", "2023-01-01T00:00:00Z", "2023-01-01 00:00:00.000000000Z", "",
            "2023-00-01T00:00:00.000000000Z", "2023-01-01T00:00:00.00000000٠Z",
        ]
    )
    func refused(text: String) {
        #expect(FileTime(rfc3339: text) == nil)
    }

    @Test("is seconds and nanoseconds")
    func decimal() {
        #expect(FileTime(seconds: 1_700_000_000, nanoseconds: 50).decimal == "1700000000.000000050")
        for text in ["1.5", "1", "01.000000000", "+1.000000000", "1.1000000000", "1.000000000 ", ".000000000"] {
            #expect(FileTime(decimal: text) == nil, "\(text)")
        }
        #expect(FileTime(decimal: "-3.000000001") == FileTime(seconds: -3, nanoseconds: 1))
    }
}
