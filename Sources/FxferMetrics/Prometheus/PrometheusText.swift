/// The pieces of Prometheus' text format, version 0.0.4: lines of UTF-8, each ended by a line feed.
///
/// ```
/// # HELP name Words for people.
/// # TYPE name counter
/// name{label="value",other="value"} 17
/// ```
enum PrometheusText {
    /// Escapes the words of a HELP line: backslash and line feed.
    static func escape(help: String) -> String {
        self.escape(help, alsoQuotes: false)
    }

    /// Labels as they stand between braces, in the order of their names; of two with one name the first counts.
    static func labels(_ dimensions: [(String, String)]) -> String {
        Dictionary(dimensions.map { (self.labelName($0.0), $0.1) }, uniquingKeysWith: { first, _ in first })
            .sorted { $0.key < $1.key }
            .map { "\($0.key)=\"\(self.escape($0.value, alsoQuotes: true))\"" }
            .joined(separator: ",")
    }

    /// A name of `[a-zA-Z_:][a-zA-Z0-9_:]*`; what does not fit becomes `_`.
    static func metricName(_ name: String) -> String {
        self.name(name, and: [UInt8(ascii: "_"), UInt8(ascii: ":")])
    }

    /// A name of `[a-zA-Z_][a-zA-Z0-9_]*`; what does not fit becomes `_`.
    static func labelName(_ name: String) -> String {
        self.name(name, and: [UInt8(ascii: "_")])
    }

    /// A number as Go's ParseFloat reads it. Whole ones have no point.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        guard let whole = Int64(exactly: value) else { return "\(value)" }
        return "\(whole)"
    }

    /// The line of one number.
    static func line(_ name: String, _ labels: String, _ number: String) -> String {
        labels.isEmpty ? "\(name) \(number)\n" : "\(name){\(labels)} \(number)\n"
    }

    /// Byte by byte: a combining character behind a quote must not hide it.
    private static func escape(_ text: String, alsoQuotes: Bool) -> String {
        var escaped: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): escaped += #"\\"#.utf8
            case UInt8(ascii: "\n"): escaped += #"\n"#.utf8
            case UInt8(ascii: "\"") where alsoQuotes: escaped += #"\""#.utf8
            default: escaped.append(byte)
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }

    private static func name(_ name: String, and others: [UInt8]) -> String {
        let bytes = name.utf8.enumerated().map { index, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): byte
            case UInt8(ascii: "0")...UInt8(ascii: "9") where index > 0: byte
            case _ where others.contains(byte): byte
            default: UInt8(ascii: "_")
            }
        }
        return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
    }
}
