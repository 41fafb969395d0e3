import ArgumentParser
import Fxfer
import FxferProtocol
import Glibc

/// `fxfer send FILE… HOST[:PORT][/FOLDER]`
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send files to a server.",
        usage: "fxfer send [<options>] <file> ... <host>[:<port>][/<folder>]",
        discussion: """
            Standard output gets one line a file as soon as it is verified, durable and published, in the format of \
            sha256sum:

              fxfer send photo.raw host:3000/2026 | (cd out && sha256sum -c)

            The port is 3000 where none is given; an IPv6 address is written in brackets, as in [::1]:3000. A file \
            that exists on the server with other content is left as it is (status 73); with the same content it counts \
            as sent.
            """
    )

    @Argument(
        help: ArgumentHelp(
            "The files to send, and last the server: host[:port][/folder].",
            valueName: "files and server"
        ),
        completion: .file()
    )
    var arguments: [String] = []

    @Option(name: .customLong("as"), help: ArgumentHelp("Store the one file under this name.", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("How long to wait for a connection, and for a silent server.", valueName: "seconds"))
    var timeout: UInt32 = 60

    @Flag(name: .shortAndLong, help: "No progress bar and no remarks; errors are still told.")
    var quiet = false

    @Flag(help: "Write one JSON object a line instead: started, progress, receipt, error.")
    var json = false

    func validate() throws {
        guard self.arguments.count >= 2 else {
            throw ValidationError("a file and a destination are needed: fxfer send FILE HOST:PORT")
        }
        guard self.timeout > 0 else {
            throw ValidationError("--timeout takes a number of seconds from 1 on")
        }
        if self.name != nil, self.arguments.count > 2 {
            throw ValidationError("--as names one file; \(self.arguments.count - 1) are given")
        }
    }

    func run() async throws {
        OpenFileLimit.raise()
        do {
            let destination = try Destination(RawArgument(text: self.arguments[self.arguments.count - 1]))
            let sources = self.arguments.dropLast().map { RawArgument(text: $0).bytes }
            try await self.checkOrder()
            let check = await SourceCheck(of: sources)
            guard check.errors.isEmpty else {
                self.exit(check.errors)
            }
            let name = self.name.map { RawArgument(text: $0).bytes }
            let uploads = try UploadPlan.uploads(of: sources, into: destination.folder, as: name)
            let reporter = SendReporter(
                style: self.json ? .json : .checksums,
                isQuiet: self.quiet,
                count: uploads.count,
                total: check.totalSize
            )
            let client = FileClient(destination.endpoint, timeout: .seconds(self.timeout))
            try await client.send(uploads, report: reporter.report)
            Glibc.exit(reporter.finish())
        } catch {
            self.exit([FxferError(wrapping: error)])
        }
    }

    /// Makes sure that the last argument is meant as a server: where it is a file, the server was
    /// forgotten.
    private func checkOrder() async throws(FxferError) {
        let last = RawArgument(text: self.arguments[self.arguments.count - 1])
        let isPlain = last.bytes.allSatisfy { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "/") }
        guard isPlain, (try? await LocalFile(path: last.bytes)) != nil else { return }
        let name = EscapedText.escape(last.bytes)
        throw FxferError(.usage, "'\(name)' is a file here; the server comes last (for one of that name: \(name):3000)")
    }

    /// Names what stopped the whole command, and ends the process with the status of the first.
    private func exit(_ errors: [FxferError]) -> Never {
        for error in errors {
            if self.json {
                StandardStream.output.write(line: JSONLine.text(SendEvent(failure: error)))
            }
            StandardStream.error.write(line: "fxfer: \(error.message)")
        }
        Glibc.exit(errors.first.map { ExitStatus.status(for: $0.code) } ?? 0)
    }
}
