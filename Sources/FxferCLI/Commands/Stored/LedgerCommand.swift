import ArgumentParser
import Fxfer
import FxferProtocol

/// `fxfer ledger`
struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Look after the ledger of a server's directory.",
        discussion: """
            A server writes a line into DIR/.fxfer/ledger.jsonl for each file that it stores: path, size, SHA-256, \
            times, sender, and the hash of the line before. fxfer verify checks all of it.
            """,
        subcommands: [LedgerCompactCommand.self]
    )
}

/// `fxfer ledger compact DIR`
struct LedgerCompactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Leave of the ledger the last line of each file.",
        discussion: """
            The lines that stay are as they were, so that receipts still find them; a first line says how many were \
            left out and binds the others. A server that runs goes on with the new ledger.

              fxfer ledger compact ./out
              fxfer ledger compact --drop-missing ./out    forget files that were removed on purpose
            """
    )

    @Argument(help: ArgumentHelp("The directory of a server.", valueName: "dir"), completion: .directory)
    var dir: String

    @Flag(help: "Leave out files that are not there any more, too, and name them.")
    var dropMissing = false

    func validate() throws {
        try ObjectStoreOptions.refuseBucket(self.dir, "its ledger cannot be compacted")
    }

    func run() async throws {
        do {
            let files = try await StoredFiles(in: RawArgument(text: self.dir).bytes)
            let (before, after, forgotten) = try await files.compactLedger(droppingMissing: self.dropMissing)
            let lines = forgotten.map { "forgotten: \($0)" } + ["\(before) entries before, \(after) now"]
            guard lines.allSatisfy({ StandardStream.output.write(line: $0) }) else {
                throw FxferError(.io, "standard output could not be written; the ledger is compacted")
            }
        } catch {
            ExitStatus.exit(error)
        }
    }
}
