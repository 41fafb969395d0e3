import ArgumentParser
import Fxfer
import FxferProtocol

/// `fxfer partials DIR`
struct PartialsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "partials",
        abstract: "List what interrupted uploads have brought.",
        discussion: """
            For each upload into DIR that was interrupted and can be gone on with: bytes that are verified, of how \
            many, the time of the last write (UTC), whether it is in use just now, and the name. Parts expire (fxfer \
            serve --keep-partials).

              fxfer partials ./out
            """
    )

    @Argument(help: ArgumentHelp("The directory of a server.", valueName: "dir"), completion: .directory)
    var dir: String

    @Flag(help: "Write one JSON object a line.")
    var json = false

    func run() async throws {
        do {
            for partial in try await KeptPartial.list(in: RawArgument(text: self.dir).bytes) {
                StandardStream.output.write(line: PartialLine(partial).text(asJSON: self.json))
            }
        } catch {
            ExitStatus.exit(error)
        }
    }
}
