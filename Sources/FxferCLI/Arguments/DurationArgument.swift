import ArgumentParser

/// A span of time from the command line: `30` or `30s`, `2m`, `24h`, `7d`, or several of these, as in `1h30m`.
struct DurationArgument: ExpressibleByArgument, CustomStringConvertible {
    let seconds: Int64
    private let text: String

    var duration: Duration { .seconds(self.seconds) }

    /// - Parameter text: how a person would write it.
    init(seconds: Int64, text: String) {
        self.seconds = seconds
        self.text = text
    }

    init?(argument: String) {
        var rest = argument[...]
        var seconds: Int64 = 0
        repeat {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            guard let number = Int64(digits), let unit = Self.units[rest.first ?? "s"] else { return nil }
            rest = rest.dropFirst()
            let (span, overflow) = number.multipliedReportingOverflow(by: unit)
            // A thousand years are enough.
            guard !overflow, span <= 31_536_000_000 - seconds else { return nil }
            seconds += span
        } while !rest.isEmpty
        self.seconds = seconds
        self.text = argument
    }

    var description: String { self.text }
    var defaultValueDescription: String { self.text }

    private static let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
}
