import ArgumentParser
import Fxfer
import FxferLegacy
import FxferProtocol
import Glibc

/// `fxfer legacy connect greeting|file|echo|chat HOST[:PORT]`
struct LegacyConnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "Be the client of a textbook pair.",
        discussion: """
            'file' writes what comes, the server's thanks included, to pjrecfile (see also: fxfer get --legacy). \
            'echo' and 'chat' send lines of standard input; windup ends them.
            """
    )

    @Argument(help: "greeting, file, echo or chat.")
    var pair: LegacyPair

    @Argument(help: ArgumentHelp("The server; the textbook's port if none is given.", valueName: "host[:port]"))
    var server: String

    @Option(
        help: ArgumentHelp("The file that 'file' writes; \(Textbook.receivedFile) if not given.", valueName: "file"),
        completion: .file()
    )
    var output: String?

    @Option(help: ArgumentHelp("How long to wait for a connection, and for a silent server.", valueName: "seconds"))
    var timeout: UInt32 = 600

    func validate() throws {
        guard self.output == nil || self.pair == .file else {
            throw ValidationError("only 'file' writes a file")
        }
        guard self.timeout > 0 else {
            throw ValidationError("--timeout takes a number of seconds from 1 on")
        }
    }

    func run() async throws {
        do {
            let endpoint = try Endpoint(argument: self.server, defaultPort: self.pair.port)
            switch try await Interruptible.run({ try await self.connect(to: endpoint) }) {
            case .finished: Glibc.exit(0)
            case .interrupted(let signal): Glibc.exit(ExitStatus.status(for: signal))
            }
        } catch {
            ExitStatus.exit(error)
        }
    }

    private func connect(to endpoint: Endpoint) async throws {
        let console = TerminalConsole()
        let timeout = Duration.seconds(self.timeout)
        switch self.pair {
        case .greeting:
            try await Greeting.connect(to: endpoint, timeout: timeout, console)
        case .file:
            let output = RawArgument(text: self.output ?? Textbook.receivedFile).bytes
            let download = FileDownload(from: endpoint, to: output, keepsTrailer: true, timeout: timeout)
            LegacyResult(output: output, content: try await download.run()).write(asJSON: false)
        case .echo:
            try await Echo.connect(to: endpoint, getpid(), timeout: timeout, console)
        case .chat:
            try await Chat.connect(to: endpoint, timeout: timeout, console)
        }
    }
}
