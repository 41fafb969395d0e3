import ArgumentParser
import Logging

/// The value of `--log-format`.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    /// `TIME LEVEL LOGGER: MESSAGE KEY=VALUE …`, keys sorted. A value that could be taken for more than one field is
    /// quoted.
    case text
    /// One object a line with `time`, `level`, `logger` and `message` beside the fields, all of them strings.
    case json

    /// Sets up the process's logging to standard error.
    func bootstrap(level: Logger.Level) {
        LoggingSystem.bootstrap { LineLogHandler(label: $0, format: self, level: level) }
    }

    /// One event as a line.
    func line(
        _ time: String,
        _ level: Logger.Level,
        _ label: String,
        _ message: String,
        _ fields: Logger.Metadata
    ) -> String {
        switch self {
        case .text:
            var line = "\(time) \(level.rawValue) \(label): \(message)"
            for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
                line.append(" ")
                line.append(key)
                line.append("=")
                line.append(Self.quoted(value.description))
            }
            return line
        case .json:
            let head = ["time": time, "level": level.rawValue, "logger": label, "message": message]
            return JSONLine.text(fields.mapValues(\.description).merging(head) { _, head in head })
        }
    }

    private static func quoted(_ value: String) -> String {
        let isPlain =
            !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
        return isPlain
            ? value
            : "\"" + value.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"") + "\""
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
