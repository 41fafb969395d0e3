import FoundationEssentials
import Logging

/// Writes each log event as one JSON object a line to standard error. Metadata are strings beside `time`, `level`,
/// `message` and `logger`.
struct JSONLogHandler: LogHandler {
    private let label: String
    var logLevel = Logger.Level.info
    var metadata = Logger.Metadata()
    var metadataProvider: Logger.MetadataProvider?

    init(label: String) {
        self.label = label
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var entry = self.metadata
            .merging(self.metadataProvider?.get() ?? [:]) { _, new in new }
            .merging(event.metadata ?? [:]) { _, new in new }
            .mapValues { "\($0)" }
        entry["time"] = Date.now.formatted(.iso8601)
        entry["level"] = event.level.rawValue
        entry["logger"] = self.label
        entry["message"] = event.message.description
        StandardStream.error.write(line: JSONLine.text(entry))
    }
}
