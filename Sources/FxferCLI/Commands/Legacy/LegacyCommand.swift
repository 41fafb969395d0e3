import ArgumentParser

/// `fxfer legacy …`
struct LegacyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "legacy",
        abstract: "The textbook's socket programs, as either end.",
        discussion: """
            Four pairs of programs that speak raw text over TCP: greeting (port 12357), file (3000), echo (1234) and \
            chat (1000). Nothing that they carry is verified.

              fxfer legacy serve echo
              fxfer legacy connect echo localhost
            """,
        subcommands: [LegacyServeCommand.self, LegacyConnectCommand.self]
    )
}

/// Which of the textbook's pairs.
enum LegacyPair: String, ExpressibleByArgument, CaseIterable {
    case greeting
    case file
    case echo
    case chat
}
