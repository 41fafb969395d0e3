import Glibc
import Logging

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
        let fields = self.metadata
            .merging(self.metadataProvider?.get() ?? [:]) { _, new in new }
            .merging(event.metadata ?? [:]) { _, new in new }
            .mapValues { "\($0)" }
        let now = UTCTime(seconds: Int64(time(nil))).iso8601
        LogWriter.shared.write(
            line: self.format.line(now, event.level, self.label, event.message.description, fields)
        )
    }
}
