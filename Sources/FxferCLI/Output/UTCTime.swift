import Glibc

/// A point in time as people and programs read it, in UTC, to the second.
struct UTCTime {
    private let parts: tm

    /// - Parameter seconds: since 1970-01-01 00:00 UTC; beyond the years that gmtime(3) knows, the epoch itself.
    init(seconds: Int64) {
        var time = time_t(seconds)
        var parts = tm()
        if gmtime_r(&time, &parts) == nil {
            time = 0
            gmtime_r(&time, &parts)
        }
        self.parts = parts
    }

    /// `2026-01-31T12:00:00Z`
    var iso8601: String { "\(self.date)T\(self.clock)Z" }

    /// `2026-01-31 12:00:00`
    var text: String { "\(self.date) \(self.clock)" }

    private var date: String {
        "\(Self.padded(Int(self.parts.tm_year) + 1900, 4))-\(Self.padded(Int(self.parts.tm_mon) + 1, 2))"
            + "-\(Self.padded(Int(self.parts.tm_mday), 2))"
    }

    private var clock: String {
        [self.parts.tm_hour, self.parts.tm_min, self.parts.tm_sec].map { Self.padded(Int($0), 2) }.joined(
            separator: ":"
        )
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value.magnitude)
        return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
