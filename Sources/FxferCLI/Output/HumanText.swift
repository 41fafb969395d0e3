/// Quantities as people read them.
enum HumanText {
    /// A size with a binary unit: `17 B`, `1.0 MiB`.
    static func size(_ bytes: UInt64) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        guard bytes >= 1024 else { return "\(bytes) B" }
        var value = Double(bytes) / 1024
        var unit = 0
        while value >= 1023.95, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(Self.oneDecimal(value)) \(units[unit])"
    }

    /// A rate: `812.3 MiB/s`.
    static func rate(_ bytes: UInt64, in time: Duration) -> String {
        let seconds = max(time / .seconds(1), 1e-6)
        return "\(Self.size(UInt64(min(Double(bytes) / seconds, 1e18))))/s"
    }

    /// A time in minutes and seconds, with hours where there are any: `0:07`, `1:02:33`.
    static func time(_ time: Duration) -> String {
        let seconds = max(0, time.components.seconds)
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
        let tail = Self.twoDigits(seconds % 60)
        return hours > 0 ? "\(hours):\(Self.twoDigits(minutes)):\(tail)" : "\(minutes):\(tail)"
    }

    /// A number of at least zero with one digit behind the point.
    static func oneDecimal(_ value: Double) -> String {
        let tenths = Int64(min((value * 10).rounded(), 1e18))
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// `1 damaged chunk`, `3 damaged chunks`.
    static func damagedChunks(_ count: Int) -> String {
        "\(count) damaged chunk\(count == 1 ? "" : "s")"
    }

    private static func twoDigits(_ value: Int64) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }
}
