import ArgumentParser

/// The command that holds all others.
struct FxferCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fxfer",
        abstract: "Sends files and proves that they arrived.",
        discussion: """
            Exit status 0 means that the receiver's bytes have the sender's SHA-256, are durable on its disk, and \
            appeared under their name in one step.

              fxfer serve --dir ./out              receive into ./out on port 3000
              fxfer send pjfile1.txt host:3000     send a file there
              fxfer demo                           see both ends at work

            Exit statuses: 0 success, 64 usage, 65 damaged or changed data, 66 no such input, 69 cannot connect, \
            73 exists or cannot be created, 74 input/output error, 75 try again, 76 protocol error, 77 not permitted.
            """,
        version: "0.1.0",
        subcommands: [
            SendCommand.self, ServeCommand.self, GetCommand.self, ListCommand.self, PartialsCommand.self,
            VerifyCommand.self, SumsCommand.self, LedgerCommand.self, ReceiptCommand.self,
            IdentityCommand.self, TokenCommand.self, DemoCommand.self, LegacyCommand.self,
        ],
        helpNames: .long
    )
}
