import ArgumentParser
import Fxfer

/// What every transfer of a client takes: how long, how fast, how often, and what is told about it.
struct TransferOptions: ParsableArguments {
    @Option(help: ArgumentHelp("How often a transfer that breaks is tried again.", valueName: "times"))
    var retries: UInt16 = 5

    @Option(help: ArgumentHelp("How long to go on trying without progress: 90s, 2m, 1h.", valueName: "time"))
    var retryFor = DurationArgument(minutes: 2)

    @Option(help: ArgumentHelp("At most that many bytes a second: 500K, 10MiB.", valueName: "rate"))
    var limitRate: RateArgument?

    @Option(help: ArgumentHelp("How long to wait for a connection, and for a silent server.", valueName: "seconds"))
    var timeout: UInt32 = 60

    @Flag(name: .shortAndLong, help: "No progress bar and no remarks; errors are still told.")
    var quiet = false

    @Flag(help: "Write one JSON object a line instead: started, progress, receipt, error and others.")
    var json = false

    func validate() throws {
        guard self.timeout > 0 else {
            throw ValidationError("--timeout takes a number of seconds from 1 on")
        }
    }

    var silence: Duration { .seconds(self.timeout) }

    var retry: RetryPolicy { RetryPolicy(retries: Int(self.retries), time: self.retryFor.duration) }

    var limiter: RateLimiter? { self.limitRate.map { RateLimiter(rate: $0.bytesPerSecond) } }

    /// - Parameter sumsUp: whether there may be more files than a person wants to count.
    func reporting(sumsUp: Bool) -> TransferReporter.Reporting {
        TransferReporter.Reporting(style: self.json ? .json : .checksums, isQuiet: self.quiet, sumsUp: sumsUp)
    }
}

extension DurationArgument {
    /// A default of that many minutes.
    init(minutes: Int64) {
        self.init(seconds: minutes * 60, text: "\(minutes)m")
    }

    /// A default of that many hours.
    init(hours: Int64) {
        self.init(seconds: hours * 3600, text: "\(hours)h")
    }
}
