import ArgumentParser
import Fxfer
import FxferProtocol

/// `fxfer sums DIR`
struct SumsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sums",
        abstract: "Print the ledger of a server's directory as sha256sum does.",
        discussion: """
            One line a file, as it was stored last: SHA-256, two spaces, name. Nothing but the ledger is read; see \
            fxfer verify.

              fxfer sums ./out | (cd out && sha256sum -c --quiet)
            """
    )

    @Argument(help: ArgumentHelp("The directory of a server.", valueName: "dir"), completion: .directory)
    var dir: String

    func run() async throws {
        do {
            let (sums, damages) = try await StoredFiles(in: RawArgument(text: self.dir).bytes).sums()
            let output = StandardStream.output
            for (path, digest) in sums {
                let line = ChecksumLine.bytes(digest, path.bytes, forTerminal: output.isTerminal)
                guard output.write(bytes: line) else {
                    throw FxferError(.io, "standard output could not be written")
                }
            }
            guard damages.isEmpty else {
                throw FxferError(
                    .damaged,
                    "the ledger of '\(EscapedText.escape(self.dir))' is damaged: \(damages.joined(separator: "; "))"
                )
            }
        } catch {
            ExitStatus.exit(error)
        }
    }
}
