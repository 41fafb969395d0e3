import ArgumentParser
import Fxfer
import FxferLegacy
import FxferProtocol
import Glibc

/// `fxfer legacy serve greeting|file|echo|chat`
struct LegacyServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Be the server of a textbook pair.",
        discussion: """
            greeting and chat serve one client and end; file sends its file to one client and ends; echo serves any \
            number at once until SIGTERM or SIGINT. Clients of other machines are sent away.
            """
    )

    @Argument(help: "greeting, file, echo or chat.")
    var pair: LegacyPair

    @Argument(
        help: ArgumentHelp("The file that 'file' sends; \(Textbook.servedFile) if not given.", valueName: "file"),
        completion: .file()
    )
    var file: String?

    @Option(
        help: ArgumentHelp(
            "Where to listen; the textbook's port if not given, a free one for 0.",
            valueName: "[addr:]port"
        )
    )
    var listen: ListenAddress?

    @Option(help: ArgumentHelp("How long a client may be silent or not read.", valueName: "seconds"))
    var timeout: UInt32 = 600

    func validate() throws {
        guard self.file == nil || self.pair == .file else {
            throw ValidationError("only 'file' sends a file")
        }
        guard self.timeout > 0 else {
            throw ValidationError("--timeout takes a number of seconds from 1 on")
        }
    }

    func run() async throws {
        OpenFileLimit.raise()
        do {
            // A signal is how a server is meant to end: status 0 in either case.
            _ = try await Interruptible.run { try await self.serve() }
            Glibc.exit(0)
        } catch {
            ExitStatus.exit(error)
        }
    }

    private func serve() async throws {
        let console = TerminalConsole()
        let stream = FileStream(path: RawArgument(text: self.file ?? Textbook.servedFile).bytes)
        if self.pair == .file {
            try stream.check()
        }
        let listener = try await RawListener.listen(
            address: self.listen?.address,
            port: self.listen?.port ?? self.pair.port,
            readSize: self.pair == .file ? Textbook.ReadSize.short : Textbook.ReadSize.long,
            timeout: .seconds(self.timeout)
        )
        if let endpoint = listener.endpoint {
            StandardStream.output.write(line: "listening on \(endpoint) (pid \(getpid()))")
        }
        switch self.pair {
        case .greeting: try await Greeting.serve(listener, console)
        case .file: try await FileExchange.serve(stream, listener, console)
        case .echo: try await Echo.serve(listener, getpid(), console)
        case .chat: try await Chat.serve(listener, console)
        }
    }
}

extension LegacyPair {
    /// The textbook's port.
    var port: Int {
        switch self {
        case .greeting: Textbook.Port.greeting
        case .file: Textbook.Port.file
        case .echo: Textbook.Port.echo
        case .chat: Textbook.Port.chat
        }
    }
}
