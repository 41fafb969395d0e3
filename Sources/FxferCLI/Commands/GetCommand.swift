import ArgumentParser
import Fxfer
import FxferProtocol
import Glibc

/// `fxfer get HOST[:PORT]/NAME…`
struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Get files and folders from a server.",
        usage: "fxfer get [<options>] <host>[:<port>]/<name> ...",
        discussion: """
            The server has to share its files (fxfer serve --share). Each file is verified, made durable and gets its \
            name in one step; a local file that has the name is replaced then, and stays as it is until then (see \
            --on-conflict). A transfer that breaks goes on from the last verified chunk.

              fxfer get host:3000/2026/photo.raw
              fxfer get host:3000/2026 --output copies
              fxfer get host:3000/x.tar --output - | tar x

            With --output - each part is written as soon as it is verified; the status tells whether all of it came. \
            With --legacy it receives the raw stream of a textbook server, which has neither length nor digest: the \
            result is always marked unverified.

              fxfer get --legacy localhost:3000 --output pjfile1.txt
            """
    )

    @Argument(
        help: ArgumentHelp(
            "What to get: host[:port]/name, all of one server. For --legacy, host[:port].",
            valueName: "host[:port]/name"
        )
    )
    var sources: [String]

    @Option(
        help: ArgumentHelp(
            "Where it is written: a folder that exists, the name of the one file or folder, or - for standard output.",
            discussion: "The current folder, where nothing is said.",
            valueName: "path"
        ),
        completion: .file()
    )
    var output: String?

    @Option(
        help: ArgumentHelp(
            "What happens to a local file whose name another one gets.",
            discussion: "One with the same content is success in any case.",
            valueName: "refuse|replace|keep-both"
        )
    )
    var onConflict = ConflictRule.replace

    @OptionGroup(title: "Trust")
    var trust: TrustOptions

    @OptionGroup(title: "Transfer")
    var transfer: TransferOptions

    @OptionGroup(title: "Legacy mode")
    var legacy: LegacyGetOptions

    func validate() throws {
        if self.legacy.isOn {
            try self.legacy.validate(sources: self.sources, output: self.output)
            guard self.trust.isEmpty else {
                throw ValidationError("--legacy proves nothing: it goes with no token, key or certificate")
            }
        } else if self.legacy.keepTrailer {
            throw ValidationError("--keep-trailer goes with --legacy")
        }
    }

    func run() async throws {
        do {
            if self.legacy.isOn {
                try await self.legacy.run(self.sources[0], self.output, self.transfer)
            } else {
                try await self.get()
            }
        } catch {
            if self.transfer.json {
                StandardStream.output.write(line: JSONLine.text(TransferLine(failure: FxferError(wrapping: error))))
            }
            ExitStatus.exit(error)
        }
    }

    private func get() async throws {
        OpenFileLimit.raise()
        let sources = try self.sources.map { try RemotePath(RawArgument(text: $0)) }
        let plan = try await DownloadPlan(sources, output: self.output.map { RawArgument(text: $0).bytes })
        var options = DownloadOptions()
        options.conflict = self.onConflict
        options.retry = self.transfer.retry
        options.limiter = self.transfer.limiter
        let isPipe = plan.target.isStandardOutput
        var reporting = self.transfer.reporting(sumsUp: false)
        // Standard output belongs to the content then.
        reporting.style = isPipe ? .silent : reporting.style
        let reporter = TransferReporter(reporting, count: plan.downloads.count, total: nil)
        let writesLines = self.transfer.json && !isPipe
        let security = try self.trust.security(isQuiet: self.transfer.quiet, json: writesLines)
        let client = FileClient(plan.endpoint, security: security, timeout: self.transfer.silence)
        try await client.get(plan.downloads, into: plan.target, options, report: reporter.report)
        Glibc.exit(reporter.finish())
    }
}
