import ArgumentParser
import FxferProtocol
import Glibc

/// The program: its arguments are taken as bytes, and signals set up, before any command runs.
@main
enum Main {
    static func main() async {
        // Writing to a closed pipe or over a size limit is an error to report, not a reason to die.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        do {
            var command = try FxferCommand.parseAsRoot(RawArgument.arguments().map(\.text))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            self.exit(error)
        }
    }

    /// Ends the process as the argument parser would, but shows what it quotes from the arguments escaped.
    private static func exit(_ error: any Error) -> Never {
        let status = FxferCommand.exitCode(for: error).rawValue
        guard status != 0 else { FxferCommand.exit(withError: error) }
        let message = FxferCommand.fullMessage(for: error)
        for line in message.split(separator: "\n", omittingEmptySubsequences: false) {
            StandardStream.error.write(line: EscapedText.escape(RawArgument(text: String(line)).bytes))
        }
        Glibc.exit(status)
    }
}
