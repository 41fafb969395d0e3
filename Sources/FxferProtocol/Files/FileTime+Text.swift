/// Times as text, without loss.
extension FileTime {
    /// `2026-01-31T12:00:00.000000000Z` (RFC 3339); the first or last such moment for times before the year 0 or after
    /// the year 9999.
    package var rfc3339: String {
        let seconds = min(max(self.seconds, Self.firstSecond), Self.lastSecond)
        let day = seconds.floorDivided(by: 86_400)
        let (year, month, dayOfMonth) = Self.date(day: day)
        let second = seconds - day * 86_400
        var text: [UInt8] = []
        text.reserveCapacity(30)
        Self.append(year, 4, "-", to: &text)
        Self.append(month, 2, "-", to: &text)
        Self.append(dayOfMonth, 2, "T", to: &text)
        Self.append(second / 3600, 2, ":", to: &text)
        Self.append(second / 60 % 60, 2, ":", to: &text)
        Self.append(second % 60, 2, ".", to: &text)
        Self.append(Int64(self.nanoseconds), 9, "Z", to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads what ``rfc3339`` writes; nil for anything else.
    package init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        let form = Array("dddd-dd-ddTdd:dd:dd.dddddddddZ".utf8)
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
        guard bytes.count == form.count,
            zip(bytes, form).allSatisfy({ $1 == UInt8(ascii: "d") ? isDigit($0) : $0 == $1 })
        else { return nil }
        func number(_ range: Range<Int>) -> Int64 { bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) } }
        let day = Self.day(year: number(0..<4), month: number(5..<7), dayOfMonth: number(8..<10))
        let second = number(11..<13) * 3600 + number(14..<16) * 60 + number(17..<19)
        self.init(seconds: day * 86_400 + second, nanoseconds: UInt32(number(20..<29)))
        // A date or hour that does not exist is written otherwise.
        guard self.rfc3339 == text else { return nil }
    }

    /// `1700000000.000000000`: seconds since the epoch, rounded down, and nanoseconds.
    package var decimal: String {
        var text = Array("\(self.seconds)".utf8)
        text.append(UInt8(ascii: "."))
        Self.append(Int64(self.nanoseconds), 9, "", to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads what ``decimal`` writes; nil for anything else.
    package init?(decimal text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let seconds = Int64(parts[0]), let nanoseconds = UInt32(parts[1]) else { return nil }
        self.init(seconds: seconds, nanoseconds: nanoseconds)
        guard self.decimal == text else { return nil }
    }

    private static let firstSecond: Int64 = -62_167_219_200
    private static let lastSecond: Int64 = 253_402_300_799

    /// The date of a day since 1970-01-01, in the Gregorian calendar. Years are counted from March, so that the leap day
    /// is the last of its year, and in cycles of 400 years, which have 146,097 days.
    private static func date(day: Int64) -> (year: Int64, month: Int64, dayOfMonth: Int64) {
        let shifted = day + 719_468
        let cycle = shifted.floorDivided(by: 146_097)
        let dayOfCycle = shifted - cycle * 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        return (cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0), month, dayOfMonth)
    }

    /// The day since 1970-01-01 of a date; the inverse of ``date(day:)`` for dates that exist.
    private static func day(year: Int64, month: Int64, dayOfMonth: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let cycle = year.floorDivided(by: 400)
        let yearOfCycle = year - cycle * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + dayOfMonth - 1
        return cycle * 146_097 + yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear - 719_468
    }

    /// Adds a number of at least zero in that many digits, and what follows it.
    private static func append(_ value: Int64, _ width: Int, _ separator: StaticString, to text: inout [UInt8]) {
        var divisor: Int64 = (1..<width).reduce(1) { divisor, _ in divisor * 10 }
        while divisor > 0 {
            text.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
        separator.withUTF8Buffer { text.append(contentsOf: $0) }
    }
}

extension Int64 {
    /// The quotient rounded down; `divisor` is positive.
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        self >= 0 ? self / divisor : (self + 1) / divisor - 1
    }
}
