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
            standard error gets one line a transfer. SIGTERM or SIGINT lets transfers in flight end within the grace; \
            a second one ends the server at once.
            """
    )

    @Option(help: ArgumentHelp("The directory that receives files; made if needed.", valueName: "dir"))
    var dir: String

    @Option(help: ArgumentHelp("Where to listen; port 0 takes a free one.", valueName: "[addr:]port"))
    var listen: ListenAddress?

    @Option(help: ArgumentHelp("How long transfers in flight may go on after SIGTERM.", valueName: "seconds"))
    var grace: UInt32 = 10

    @Option(help: ArgumentHelp("The least level that is logged.", valueName: "level"))
    var logLevel = Logger.Level.info

    @Option(help: "How log lines are written.")
    var logFormat = LogFormat.text

    func run() async throws {
        self.logFormat.bootstrap(level: self.logLevel)
        OpenFileLimit.raise()
        let logger = Logger(label: "fxfer")
        var configuration = ServerConfiguration(directory: RawArgument(text: self.dir).bytes)
        configuration.address = self.listen?.address
        configuration.port = self.listen?.port ?? ServerConfiguration.defaultPort
        configuration.grace = .seconds(self.grace)
        let server = FileServer(configuration: configuration, logger: logger) { address in
            StandardStream.output.write(line: "listening on \(Endpoint(address)) (pid \(getpid()))")
        }
        do {
            let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
            async let _ = Self.exitAtSecond(signals)
            try await ServiceGroup(
                configuration: .init(
                    services: [.init(service: server, successTerminationBehavior: .gracefullyShutdownGroup)],
                    gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger
                )
            ).run()
        } catch {
            ExitStatus.exit(error)
        }
    }

    private static func exitAtSecond(_ signals: UnixSignalsSequence) async {
        var count = 0
        for await signal in signals {
            count += 1
            if count == 2 {
                Glibc.exit(128 + (signal == .sigint ? SIGINT : SIGTERM))
            }
        }
    }
}
