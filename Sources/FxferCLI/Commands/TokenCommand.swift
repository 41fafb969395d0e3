import ArgumentParser
import FxferProtocol
import FxferTrust

/// `fxfer token [NAME]`
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make a secret token for a server and its clients.",
        discussion: """
            Prints a line for a token file: a new token of 256 random bits, with the name of who gets it. A server \
            takes the tokens of a file that nobody else can read; a client has its own in such a file, or in the \
            variable FXFER_TOKEN. The token itself never crosses the wire.

              (umask 077; fxfer token alice >> tokens)
              fxfer serve --dir ./out --token-file tokens
              fxfer token backup --rights upload
            """
    )

    @Argument(
        help: ArgumentHelp(
            "Whose token it is, for the server's log: 1 to 64 letters, digits and ._@-",
            valueName: "name"
        )
    )
    var name: String?

    @Option(
        help: ArgumentHelp(
            "What it allows, with commas between: upload, read, list; all of it if not given.",
            valueName: "rights"
        )
    )
    var rights: AccessRights?

    func validate() throws {
        if let name, !TokenList.Entry.isName(name) {
            throw ValidationError("'\(name)' is no name for a token; it takes 1 to 64 letters, digits and ._@-")
        }
        if self.rights != nil, self.name == nil {
            throw ValidationError("--rights goes with a NAME")
        }
    }

    func run() async throws {
        let fields = [self.name, Token.random().text, self.rights?.description].compactMap { $0 }
        guard StandardStream.output.write(line: fields.joined(separator: ":")) else {
            ExitStatus.exit(FxferError(.io, "standard output could not be written"))
        }
    }
}

extension AccessRights: ExpressibleByArgument {
    /// Reads `upload,read,list` or some of them.
    public init?(argument: String) {
        self.init(names: argument)
    }
}
