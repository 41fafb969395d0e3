import ArgumentParser
import Fxfer

/// What a server lets its clients take of its time, memory, descriptors and disk.
struct LimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("How long a client may take to greet, however busily it talks.", valueName: "time"))
    var handshakeTimeout = DurationArgument(seconds: 10, text: "10s")

    @Option(help: ArgumentHelp("How long a client may be silent while it is its turn.", valueName: "time"))
    var idleTimeout = DurationArgument(seconds: 60, text: "60s")

    @Option(
        help: ArgumentHelp(
            "The least bytes a second for what a client has begun to send, or asked for; 0 for any.",
            valueName: "rate"
        )
    )
    var minRate = LeastRateArgument(kibibytes: 1)

    @Option(help: ArgumentHelp("How many connections are served at once.", valueName: "count"))
    var maxConnections = 1000

    @Option(help: ArgumentHelp("How many of them from one address (IPv6: one /64 network).", valueName: "count"))
    var maxConnectionsPerAddress = 256

    @Option(help: ArgumentHelp("The largest file that is taken; any if not given.", valueName: "bytes"))
    var maxFileSize: SizeArgument?

    @Option(
        help: ArgumentHelp(
            "How much the directory may hold in all, at least 4K a file and folder; any amount if not given.",
            valueName: "bytes"
        )
    )
    var maxTotalSize: SizeArgument?

    @Option(help: ArgumentHelp("How much of the disk stays free.", valueName: "bytes"))
    var minFreeSpace = SizeArgument(kibibytes: 0)

    @Option(help: ArgumentHelp("How many files a client may have open at once.", valueName: "count"))
    var maxFiles: UInt16 = 256

    @Option(help: ArgumentHelp("The longest control frame that is taken: 8K to 64K.", valueName: "bytes"))
    var maxFrameSize = SizeArgument(kibibytes: 64)

    func validate() throws {
        guard self.handshakeTimeout.seconds > 0, self.idleTimeout.seconds > 0 else {
            throw ValidationError("--handshake-timeout and --idle-timeout take a time from 1 second on")
        }
        guard self.maxConnections > 0, self.maxConnectionsPerAddress > 0, self.maxFiles > 0 else {
            throw ValidationError(
                "--max-connections, --max-connections-per-address and --max-files take a number from 1 on"
            )
        }
        guard let size = UInt32(exactly: self.maxFrameSize.bytes), ServerLimits.frameSizes.contains(size) else {
            throw ValidationError("--max-frame-size takes a size from 8K to 64K")
        }
    }

    func apply(to configuration: inout ServerConfiguration) {
        configuration.limits.handshakeTimeout = self.handshakeTimeout.duration
        configuration.limits.idleTimeout = self.idleTimeout.duration
        configuration.limits.minRate = self.minRate.bytesPerSecond
        configuration.limits.maxConnections = self.maxConnections
        configuration.limits.maxConnectionsPerAddress = self.maxConnectionsPerAddress
        configuration.limits.filesInFlight = self.maxFiles
        configuration.limits.maxFrameSize = UInt32(clamping: self.maxFrameSize.bytes)
        configuration.limits.storage.maxFileSize = self.maxFileSize?.bytes
        configuration.limits.storage.maxTotalSize = self.maxTotalSize?.bytes
        configuration.limits.storage.minFreeSpace = self.minFreeSpace.bytes
    }
}

/// A lower bound for a rate from the command line: `1K`, `500/s`; 0 for none.
struct LeastRateArgument: ExpressibleByArgument, CustomStringConvertible {
    let bytesPerSecond: UInt64
    let description: String
    var defaultValueDescription: String { self.description }

    /// A default of that many KiB a second.
    init(kibibytes: UInt64) {
        self.bytesPerSecond = kibibytes << 10
        self.description = "\(kibibytes)K"
    }

    init?(argument: String) {
        let amount = argument.hasSuffix("/s") ? String(argument.dropLast(2)) : argument
        guard let size = SizeArgument(argument: amount) else { return nil }
        self.bytesPerSecond = size.bytes
        self.description = argument
    }
}
