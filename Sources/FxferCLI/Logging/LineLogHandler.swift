import Glibc
import Logging
import Synchronization

/// Writes each log event as one line to standard error.
struct LineLogHandler: LogHandler {
    private let label: String
    private let format: LogFormat
    var logLevel: Logger.Level
    var metadata = Logger.Metadata()
    var metadataProvider: Logger.MetadataProvider?

    init(label: String, format: LogFormat, level: Logger.Level) {
        self.label = label
        self.format = format
        self.logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        // What is nearest to the event counts, and is the most.
        var fields = event.metadata ?? [:]
        for more in [self.metadataProvider?.get() ?? [:], self.metadata] {
            fields.merge(more) { nearest, _ in nearest }
        }
        LogWriter.shared.write(
            line: self.format.line(Self.now(), event.level, self.label, event.message.description, fields)
        )
    }

    /// The present second and its text, which is made once for all lines of a second.
    private static let second = Mutex<(number: time_t, text: String)>((0, ""))

    private static func now() -> String {
        let now = time(nil)
        return Self.second.withLock { second in
            if second.number != now { second = (now, UTCTime(seconds: Int64(now)).iso8601) }
            return second.text
        }
    }
}
