import ArgumentParser
import CLinux
import Dispatch
import FxferProtocol
import Glibc

/// The program: its arguments are taken as bytes, and signals set up, before any command runs. There is one thread until
/// a command has prepared the process.
@main
enum Main {
    static func main() {
        // Writing to a closed pipe or over a size limit is an error to report, not a reason to die.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        Self.keepBuffers()
        Self.letThreadsFinish()
        do {
            var command = try FxferCommand.parseAsRoot(Self.arguments())
            if let command = command as? any PreparingCommand {
                Self.finish(try command.prepare())
            } else if var command = command as? any AsyncParsableCommand {
                Self.finish { try await command.run() }
            } else {
                try command.run()
            }
        } catch {
            self.exit(error)
        }
    }

    /// Has malloc keep the memory of buffers (up to 1 MiB each, a few at a time) rather than give it back to the system
    /// and fetch it again for each part of a file, which costs a page fault for every 4 KiB: 512 MiB over TLS on loopback
    /// take 5 % less CPU, and in the clear 4 %. The peak of a server's memory is the same for one upload (40 MiB), and
    /// 5 MiB higher after thirty.
    private static func keepBuffers() {
        _ = clinux_set_heap(4 << 20, 8 << 20)
    }

    /// Has the threads let each other finish: one that the disk or the socket wakes waits for its turn instead of taking
    /// the processor from a thread in the middle of a hash. On two cores, with the server on the same machine, 512 MiB over
    /// TLS take 6 % less time, and 5,000 small files 25 %.
    private static func letThreadsFinish() {
        _ = clinux_schedule_as_batch()
    }

    /// Runs the work of a command on Swift's threads, which are started by this, and ends the process with it.
    private static func finish(_ work: sending @escaping () async throws -> Void) -> Never {
        Task {
            do {
                try await work()
                Glibc.exit(0)
            } catch {
                self.exit(error)
            }
        }
        dispatchMain()
    }

    /// The arguments for the parser. It knows `--help` only: with `-h` it would take every word that begins with one
    /// dash and has an h in it, such as a file name, for a call for help, which succeeds.
    private static func arguments() -> [String] {
        let arguments = RawArgument.arguments().map(\.text)
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        return arguments[..<end].map { $0 == "-h" ? "--help" : $0 } + arguments[end...]
    }

    /// Ends the process as the argument parser would, but tells a mistake in one line, in which what it quotes from
    /// the arguments is escaped.
    private static func exit(_ error: any Error) -> Never {
        let status = FxferCommand.exitCode(for: error).rawValue
        guard status != 0 else { FxferCommand.exit(withError: error) }
        var message = FxferCommand.message(for: error).split(separator: "\n").joined(separator: " ")
        if message.last == "." { message.removeLast() }
        let text = EscapedText.escape(RawArgument(text: message).bytes)
        StandardStream.error.write(line: "fxfer: \(text); see \(Self.helpCommand(for: error))")
        Glibc.exit(status)
    }

    /// `fxfer --help`, or that of the subcommand that was called.
    private static func helpCommand(for error: any Error) -> String {
        let quoted = FxferCommand.fullMessage(for: error).split(separator: "'")
        return quoted.last { $0.hasPrefix("fxfer ") && $0.hasSuffix(" --help") }.map(String.init) ?? "fxfer --help"
    }
}
