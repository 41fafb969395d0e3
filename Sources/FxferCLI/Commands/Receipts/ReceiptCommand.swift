import ArgumentParser

/// `fxfer receipt …`
struct ReceiptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipt",
        abstract: "Look at receipts that a server has signed.",
        discussion: """
            With --receipts, 'fxfer send' keeps a proof of what the server has stored. It can be verified at any time, \
            by anybody, without the server.

              fxfer send --receipts proofs photo.raw host:3000
              fxfer receipt verify proofs/photo.raw.receipt.json
            """,
        subcommands: [ReceiptVerifyCommand.self]
    )
}
