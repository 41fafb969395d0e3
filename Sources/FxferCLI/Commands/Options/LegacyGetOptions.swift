import ArgumentParser
import Fxfer
import FxferLegacy
import FxferProtocol
import Glibc

/// How `get --legacy` receives the raw stream of a textbook server.
struct LegacyGetOptions: ParsableArguments {
    @Flag(name: .customLong("legacy"), help: "Receive the raw stream of a textbook server; the result is unverified.")
    var isOn = false

    @Flag(help: "Write the server's thanks behind the file, too, as the textbook's client does.")
    var keepTrailer = false

    func validate(sources: [String], output: String?) throws {
        guard sources.count == 1 else {
            throw ValidationError("--legacy takes one server: fxfer get --legacy HOST:PORT")
        }
        guard output != "-" else {
            throw ValidationError("--output - is not possible with --legacy: what is unverified is not passed on")
        }
    }

    /// Receives the file of `server`.
    func run(_ server: String, _ output: String?, _ transfer: TransferOptions) async throws {
        let output = RawArgument(text: output ?? Textbook.receivedFile).bytes
        let download = FileDownload(
            from: try Endpoint(argument: server),
            to: output,
            keepsTrailer: self.keepTrailer,
            timeout: transfer.silence
        )
        switch try await Interruptible.run({ try await download.run() }) {
        case .finished(let content):
            LegacyResult(output: output, content: content).write(asJSON: transfer.json)
        case .interrupted(let signal):
            Glibc.exit(ExitStatus.status(for: signal))
        }
    }
}
