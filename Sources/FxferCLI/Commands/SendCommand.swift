import ArgumentParser
import Fxfer
import FxferProtocol
import Glibc

/// `fxfer send FILE|FOLDER… HOST[:PORT][/FOLDER]`
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send files and folders to a server.",
        usage: "fxfer send [<options>] <file or folder> ... <host>[:<port>][/<folder>]",
        discussion: """
            Standard output gets one line a file as soon as it is verified, durable and published, in the format of \
            sha256sum:

              fxfer send photo.raw host:3000/2026 | (cd out && sha256sum -c)
              fxfer send --exclude '*.tmp' results host:3000
              tar c . | fxfer send - --as x.tar host:3000

            The port is 3000 where none is given; an IPv6 address is written in brackets, as in [::1]:3000. A file \
            that exists on the server with other content is left as it is (status 73), unless the server was started \
            with another --on-conflict; with the same content it counts as sent. A transfer that breaks goes on from \
            the last verified chunk, by itself or when the same command is given again.
            """
    )

    @Argument(
        help: ArgumentHelp(
            "The files and folders to send (- for standard input), and last the server: host[:port][/folder].",
            valueName: "sources and server"
        ),
        completion: .file()
    )
    var arguments: [String] = []

    @Option(name: .customLong("as"), help: ArgumentHelp("Store the one source under this name.", valueName: "name"))
    var name: String?

    @OptionGroup(title: "Folders")
    var folders: FolderOptions

    @OptionGroup(title: "Content")
    var content: ContentOptions

    @Option(
        help: ArgumentHelp(
            "Keep a receipt for each file below this folder, signed by the server: NAME.receipt.json and .receipt.sig.",
            discussion: "It proves to anybody what the server has stored (fxfer receipt verify).",
            valueName: "dir"
        ),
        completion: .directory
    )
    var receipts: String?

    @Option(
        help: ArgumentHelp(
            "What the server has to do for each file before it counts as sent.",
            discussion:
                "verified: compare it; durable: flush it to the disk, too; media: then read it again from the disk.",
            valueName: "level"
        )
    )
    var require = LevelArgument.durable

    @OptionGroup(title: "Trust")
    var trust: TrustOptions

    @OptionGroup(title: "Transfer")
    var transfer: TransferOptions

    func validate() throws {
        guard self.arguments.count >= 2 else {
            throw ValidationError("a file and a destination are needed: fxfer send FILE HOST:PORT")
        }
        let sources = self.arguments.count - 1
        if self.name != nil, sources > 1 {
            throw ValidationError("--as names one file; \(sources) are given")
        }
        if self.content.expected != nil, sources > 1 {
            throw ValidationError("--expect-size and --expect-sha256 go with one file; \(sources) are given")
        }
        if self.arguments.dropLast().filter({ $0 == "-" }).count > 1 {
            throw ValidationError("standard input (-) can be sent once")
        }
    }

    func run() async throws {
        OpenFileLimit.raise()
        do {
            let destination = try Destination(RawArgument(text: self.arguments[self.arguments.count - 1]))
            let sources = self.arguments.dropLast().map { Upload.Source(RawArgument(text: $0)) }
            let security = try self.trust.security(isQuiet: self.transfer.quiet, json: self.transfer.json)
            try await self.checkOrder()
            let check = await SourceCheck(of: sources)
            guard check.errors.isEmpty else {
                self.exit(check.errors)
            }
            if check.hasFolder, self.content.expected != nil {
                throw FxferError(.usage, "--expect-size and --expect-sha256 go with one file, not with a folder")
            }
            let name = self.name.map { RawArgument(text: $0).bytes }
            let uploads = try UploadPlan.uploads(
                of: sources,
                into: destination.folder,
                as: name,
                expecting: self.content.expected
            )
            let receipts = try self.receipts.map { folder throws(FxferError) in
                try ReceiptFolder(path: RawArgument(text: folder).bytes)
            }
            let reporter = TransferReporter(
                self.transfer.reporting(sumsUp: check.hasFolder),
                count: uploads.count,
                total: check.totalSize,
                receipts: receipts
            )
            let client = FileClient(destination.endpoint, security: security, timeout: self.transfer.silence)
            try await client.send(uploads, self.options(check), report: reporter.report)
            Glibc.exit(reporter.finish())
        } catch {
            self.exit([FxferError(wrapping: error)])
        }
    }

    private func options(_ check: SourceCheck) -> UploadOptions {
        var options = UploadOptions()
        // Folders are sent again to send what is missing: so what is there is asked for first.
        options.comparison = self.content.compare ?? (check.hasFolder ? .digest : nil)
        options.followsLinks = self.folders.links == .follow
        options.excludes = self.folders.exclude.map { RawArgument(text: $0).bytes }
        options.retry = self.transfer.retry
        options.limiter = self.transfer.limiter
        options.wantsReceipts = self.receipts != nil
        options.level = self.require.level
        return options
    }

    /// Makes sure that the last argument is meant as a server: where it is a file, the server was
    /// forgotten.
    private func checkOrder() async throws {
        let last = RawArgument(text: self.arguments[self.arguments.count - 1])
        let isPlain = last.bytes.allSatisfy { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "/") }
        guard isPlain, case .success(let there) = try await LocalFile.look(at: [last.bytes])[0], !there.isFolder
        else { return }
        let name = EscapedText.escape(last.bytes)
        throw FxferError(.usage, "'\(name)' is a file here; the server comes last (for one of that name: \(name):3000)")
    }

    /// Names what stopped the whole command, and ends the process with the status of the first.
    private func exit(_ errors: [FxferError]) -> Never {
        for error in errors {
            if self.transfer.json {
                StandardStream.output.write(line: JSONLine.text(TransferLine(failure: error)))
            }
            StandardStream.error.write(line: "fxfer: \(error.message)")
        }
        Glibc.exit(errors.first.map { ExitStatus.status(for: $0.code) } ?? 0)
    }
}
