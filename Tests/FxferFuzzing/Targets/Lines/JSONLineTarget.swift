import FxferProtocol

extension FuzzTarget {
    /// A line of JSON is read where it is the one way to write what it says.
    ///
    /// Input: a byte for what its fields are, two bits each; the line.
    static let jsonLine = FuzzTarget(
        "json-line",
        seeds: [
            [0b0100] + Array(#"{"a":"x\"\\y","a":12,"a":"z","a":"w"}"#.utf8), [0] + Array(#"{"a":"x"}"#.utf8),
            [0b0101_0101] + Array(#"{"a":0,"a":18446744073709551615,"a":18446744073709551616,"a":01}"#.utf8),
            [0b1000_1000] + Array(#"{"a":"\u0041","a":"é"}"#.utf8),
        ]
    ) { bytes in
        var input = FuzzInput(bytes)
        let kinds = input.byte()
        let line = Array(input.rest)
        guard var reader = JSONLineReader(line[...]) else {
            return try require(line.first != UInt8(ascii: "{"), "a line that begins as an object is none")
        }
        var writer = JSONLineWriter()
        for index in 0..<4 {
            switch kinds >> (2 * index) & 3 {
            case 0:
                guard let text = reader.text("a") else { return }
                writer.add("a", text)
            case 1:
                guard let number = reader.number("a") else { return }
                writer.add("a", number)
            default:
                let place = reader.position
                guard let text = reader.optionalText("a") else {
                    try require(reader.position == place, "a field that is not there is skipped")
                    continue
                }
                writer.add("a", text)
            }
            try require((1...line.count).contains(reader.position), "the place is outside the line")
            try require(line.prefix(reader.position).elementsEqual(writer.bytes), "a field can be written otherwise")
        }
        guard reader.isAtEnd() else { return }
        try require(writer.finish() == line + [UInt8(ascii: "\n")], "a line can be written otherwise")
    }

    /// Times as text are read where they are the one way to write a time.
    ///
    /// Input: 12 bytes for a time, a text.
    static let fileTime = FuzzTarget(
        "file-time",
        maxLength: 64,
        seeds: [
            "2026-01-31T12:00:00.000000000Z", "2000-02-29T23:59:59.999999999Z", "1900-02-29T00:00:00.000000000Z",
            "0000-01-01T00:00:00.000000000Z", "9999-12-31T23:59:60.000000000Z", "1700000000.000000000",
            "-9223372036854775808.999999999", "-0.000000001", "1.4294967295",
        ].map { Array(repeating: 0, count: 12) + Array($0.utf8) }
    ) { bytes in
        var input = FuzzInput(bytes)
        let time = FileTime(seconds: input.integer(), nanoseconds: input.integer())
        try require(FileTime(decimal: time.decimal) == time, "\(time.decimal) is not read back")
        let rfc3339 = try require(FileTime(rfc3339: time.rfc3339), "\(time.rfc3339) is not read back")
        try require(rfc3339.nanoseconds == time.nanoseconds, "nanoseconds are lost")
        if StoredEntry.seconds.contains(time.seconds) {
            try require(rfc3339 == time, "\(time.rfc3339) is another time")
        }
        let text = String(decoding: input.rest, as: UTF8.self)
        if let read = FileTime(decimal: text) { try require(read.decimal == text, "\(text) can be written otherwise") }
        if let read = FileTime(rfc3339: text) { try require(read.rfc3339 == text, "\(text) can be written otherwise") }
    }
}
