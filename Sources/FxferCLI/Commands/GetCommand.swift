import ArgumentParser
import Fxfer
import FxferLegacy
import FxferProtocol
import Glibc

/// `fxfer get --legacy HOST[:PORT]`
struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Receive the file of a textbook server (legacy mode).",
        discussion: """
            Speaks the textbook's raw stream, which has neither length nor digest: the result is always marked \
            unverified. The file takes its name in one step when the stream has ended with the server's thanks; \
            where it has not, an old file stays as it is (status 65).

              fxfer get --legacy localhost:3000 --output pjfile1.txt
            """
    )

    @Flag(help: "Speak the textbook's raw stream; the only way to receive so far.")
    var legacy = false

    @Argument(help: ArgumentHelp("The server.", valueName: "host[:port]"))
    var server: String

    @Option(
        help: ArgumentHelp("The file that is written; an old one is replaced.", valueName: "file"),
        completion: .file()
    )
    var output: String = Textbook.receivedFile

    @Flag(help: "Write the server's thanks behind the file, too, as the textbook's client does.")
    var keepTrailer = false

    @Flag(help: "Write the result as a JSON object.")
    var json = false

    @Option(help: ArgumentHelp("How long to wait for a connection, and for a silent server.", valueName: "seconds"))
    var timeout: UInt32 = 60

    func validate() throws {
        guard self.legacy else {
            throw ValidationError("fxfer get receives from textbook servers only: add --legacy")
        }
        guard self.output != "-" else {
            throw ValidationError("--output - is not possible: what is unverified is not passed on")
        }
        guard self.timeout > 0 else {
            throw ValidationError("--timeout takes a number of seconds from 1 on")
        }
    }

    func run() async throws {
        let output = RawArgument(text: self.output).bytes
        do {
            let endpoint = try Endpoint(argument: self.server)
            let download = FileDownload(
                from: endpoint,
                to: output,
                keepsTrailer: self.keepTrailer,
                timeout: .seconds(self.timeout)
            )
            switch try await Interruptible.run({ try await download.run() }) {
            case .finished(let content):
                LegacyResult(output: output, content: content).write(asJSON: self.json)
            case .interrupted(let signal):
                Glibc.exit(ExitStatus.status(for: signal))
            }
        } catch {
            if self.json {
                StandardStream.output.write(line: JSONLine.text(SendEvent(failure: FxferError(wrapping: error))))
            }
            ExitStatus.exit(error)
        }
    }
}
