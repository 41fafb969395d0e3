import ArgumentParser

/// An amount of bytes from the command line: `4096`, `64K`, `10MiB`, `1.5G`, `5MB`. `K`, `M`, `G`, `T` and `KiB`, `MiB` …
/// are powers of 1,024, as curl and rsync have it; `KB`, `MB` … are powers of 1,000.
struct SizeArgument: ExpressibleByArgument, CustomStringConvertible {
    let bytes: UInt64
    private let text: String

    /// A default of that many GiB.
    init(gibibytes: UInt64) {
        self.bytes = gibibytes << 30
        self.text = "\(gibibytes)GiB"
    }

    /// A default of that many KiB.
    init(kibibytes: UInt64) {
        self.bytes = kibibytes << 10
        self.text = kibibytes == 0 ? "0" : "\(kibibytes)KiB"
    }

    init?(argument: String) {
        let number = argument.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let value = Double(number), let unit = Self.unit(argument.dropFirst(number.count)) else { return nil }
        let bytes = (value * unit).rounded()
        // Beyond 2^60 no file can be.
        guard bytes <= 0x1p60 else { return nil }
        self.bytes = UInt64(bytes)
        self.text = argument
    }

    var description: String { self.text }
    var defaultValueDescription: String { self.text }

    private static func unit(_ text: Substring) -> Double? {
        var text = text.lowercased()
        var base = 1024.0
        let isBinary = text.hasSuffix("ib")
        if isBinary {
            text.removeLast(2)
        } else if text.hasSuffix("b") {
            text.removeLast()
            base = 1000
        }
        guard !text.isEmpty else { return isBinary ? nil : 1 }
        guard text.count == 1, let power = ["k", "m", "g", "t", "p"].firstIndex(of: text) else { return nil }
        return (0...power).reduce(1.0) { unit, _ in unit * base }
    }
}

/// A rate from the command line: an amount of bytes a second, `10MiB` or `10MiB/s`; at least 1 KiB a second.
struct RateArgument: ExpressibleByArgument {
    let bytesPerSecond: UInt64

    init?(argument: String) {
        let amount = argument.hasSuffix("/s") ? String(argument.dropLast(2)) : argument
        guard let size = SizeArgument(argument: amount), size.bytes >= 1024 else { return nil }
        self.bytesPerSecond = size.bytes
    }
}
