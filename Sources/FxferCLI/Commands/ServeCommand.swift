import ArgumentParser
import Fxfer
import FxferProtocol
import Glibc
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// `fxfer serve --dir DIR`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Receive files into a directory.",
        discussion: """
            Takes connections from its own machine only. The first line on standard output says where it listens; \
            standard error gets a line for each transfer and for each connection that ends badly. SIGTERM or SIGINT lets transfers in flight end within the grace; \
            a second one ends the server at once.

              fxfer serve --dir ./out
              fxfer serve --dir ./out --listen 127.0.0.1:4000
              fxfer serve --dir ./out --share --on-conflict keep-both
            """
    )

    @Option(
        help: ArgumentHelp("The directory that receives files; made if needed.", valueName: "dir"),
        completion: .directory
    )
    var dir: String

    @Option(
        help: ArgumentHelp(
            "Where to listen; port 3000 on all addresses if not given, a free port for 0.",
            valueName: "[addr:]port"
        )
    )
    var listen: ListenAddress?

    @Flag(help: "Let clients list the directory and get files from it (fxfer list, fxfer get).")
    var share = false

    @Option(
        help: ArgumentHelp(
            "What happens to a file whose name another one has.",
            discussion: "One with the same content is success in any case.",
            valueName: "refuse|replace|keep-both"
        )
    )
    var onConflict = ConflictRule.refuse

    @Option(
        help: ArgumentHelp(
            "How long what an interrupted upload has brought is kept, so that it can be gone on with; 0 for not at all.",
            valueName: "time"
        )
    )
    var keepPartials = DurationArgument(hours: 24)

    @Option(help: ArgumentHelp("How much of that is kept in all; the oldest goes first.", valueName: "bytes"))
    var maxPartials = SizeArgument(gibibytes: 100)

    @Option(help: ArgumentHelp("At most that many bytes a second, all clients together.", valueName: "rate"))
    var limitRate: RateArgument?

    @Option(help: ArgumentHelp("How long transfers in flight may go on after SIGTERM.", valueName: "seconds"))
    var grace: UInt32 = 10

    @Option(help: ArgumentHelp("The least level that is logged.", valueName: "level"))
    var logLevel = Logger.Level.info

    @Option(help: "How log lines are written.")
    var logFormat = LogFormat.text

    @Option(
        help: ArgumentHelp(
            "Send this file, unverified, to clients that speak the textbook's raw stream.",
            valueName: "file"
        ),
        completion: .file()
    )
    var legacy: String?

    @Flag(help: "End after one such client, as the textbook's server does.")
    var legacyOnce = false

    func validate() throws {
        if self.legacyOnce, self.legacy == nil {
            throw ValidationError("--legacy-once goes with --legacy FILE")
        }
    }

    func run() async throws {
        self.logFormat.bootstrap(level: self.logLevel)
        let maxDescriptors = OpenFileLimit.raise()
        let logger = Logger(label: "fxfer")
        var configuration = ServerConfiguration(directory: RawArgument(text: self.dir).bytes)
        configuration.address = self.listen?.address
        configuration.port = self.listen?.port ?? Endpoint.defaultPort
        configuration.grace = .seconds(self.grace)
        configuration.isSharing = self.share
        configuration.conflict = self.onConflict
        configuration.keepPartials = self.keepPartials.duration
        configuration.maxPartialBytes = self.maxPartials.bytes
        configuration.limiter = self.limitRate.map { RateLimiter(rate: $0.bytesPerSecond) }
        // The other half is for files, and for what the system's libraries cannot do without.
        configuration.maxConnections = min(configuration.maxConnections, maxDescriptors / 2)
        do {
            let (legacyEnds, legacyEnd) = AsyncStream<Void>.makeStream()
            if let legacy {
                configuration.guest = try await LegacyGuest.make(
                    file: RawArgument(text: legacy).bytes,
                    timeout: configuration.idleTimeout,
                    logger: logger,
                    onServed: { legacyEnd.yield() }
                )
            }
            let directory = EscapedText.escape(configuration.directory)
            let verb = self.share ? "sharing and receiving into" : "receiving into"
            let server = FileServer(configuration: configuration, logger: logger) { address in
                StandardStream.output.write(line: "listening on \(Endpoint(address)) (pid \(getpid()))")
                StandardStream.output.write(line: "\(verb) \(directory) from this machine only")
            }
            var services = [self.essential(server)]
            if self.legacyOnce {
                services.append(self.essential(FirstEvent(of: legacyEnds)))
            }
            let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
            async let _ = Self.exitAtSecond(signals)
            try await ServiceGroup(
                configuration: .init(
                    services: services,
                    gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger
                )
            ).run()
            LogWriter.shared.drain()
        } catch {
            LogWriter.shared.drain()
            ExitStatus.exit(error)
        }
    }

    /// A service whose end is the end of all.
    private func essential(_ service: any Service) -> ServiceGroupConfiguration.ServiceConfiguration {
        .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)
    }

    private static func exitAtSecond(_ signals: UnixSignalsSequence) async {
        var count = 0
        for await signal in signals {
            count += 1
            if count == 2 {
                Glibc.exit(ExitStatus.status(for: signal))
            }
        }
    }
}

/// Ends when the first event has come, or with the shutdown.
private struct FirstEvent: Service {
    private let events: AsyncStream<Void>

    init(of events: AsyncStream<Void>) {
        self.events = events
    }

    func run() async throws {
        _ = await self.events.cancelOnGracefulShutdown().first { true }
    }
}

extension ConflictRule: ExpressibleByArgument {}
