import ArgumentParser
import Fxfer
import FxferProtocol
import Glibc

/// `fxfer verify DIR [PATH…]`, or `--store s3://BUCKET [PATH…]`
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read again what a server has stored, and compare it with the ledger.",
        discussion: """
            Reads everything on all cores, and names what was changed (with the ranges of bytes, as far as they can be \
            told), what is missing, what could not be read, and what the ledger does not know; and where the ledger \
            itself was changed. The server may go on meanwhile. Exit status 65 if anything is wrong, else 0.

              fxfer verify ./out
              fxfer verify ./out 2026/raw                    that folder only
              fxfer verify --since 7d ./out                  what was stored in the last seven days
              fxfer verify --limit-rate 50M ./out            a gentle scrub
              fxfer verify --store s3://bucket 2026/raw      a bucket, or a folder in it
              fxfer verify --unknown adopt ./out             take what was put there by hand into the ledger
              fxfer verify --repair-from other:3000 ./out    and replace what is damaged

            A file that has decayed, that is, whose content changed while its size and time did not, can be repaired: by \
            sending it again, or with --repair-from from another server that shares it (fxfer serve --share). Only what \
            is damaged travels; the repaired copy takes the name in one step. Files that somebody has written to are \
            left as they are. Exit status 0 then if everything that was wrong is repaired.
            """
    )

    @Argument(
        help: ArgumentHelp(
            "The directory of a server (none with --store); then files and folders in it, from there on; everything "
                + "without.",
            valueName: "dir-or-path"
        ),
        completion: .directory
    )
    var arguments: [String] = []

    @OptionGroup(title: "Object store")
    var objects: ObjectStoreOptions

    private var dir: String { self.objects.store == nil ? self.arguments.first ?? "" : "" }
    private var paths: ArraySlice<String> {
        self.objects.store == nil ? self.arguments.dropFirst() : self.arguments[...]
    }

    @Option(
        help: ArgumentHelp(
            "Only what was stored within this time, as in 12h or 7d; files that the ledger does not know are left aside.",
            valueName: "time"
        )
    )
    var since: DurationArgument?

    @Option(
        help: ArgumentHelp(
            "What to do about files that the ledger does not know: ignore, report (they are wrong, unless you say this) "
                + "or adopt them.",
            valueName: "what"
        ),
        completion: .list(VerificationScope.Unknown.allCases.map(\.rawValue))
    )
    var unknown: VerificationScope.Unknown?

    @Option(help: ArgumentHelp("Read at most that many bytes a second.", valueName: "rate"))
    var limitRate: RateArgument?

    @Option(
        help: ArgumentHelp(
            "Repair files that have decayed from this server, which shares them, perhaps in a folder.",
            valueName: "host[:port][/folder]"
        )
    )
    var repairFrom: String?

    @Flag(help: "Write one JSON object a line.")
    var json = false

    @Flag(name: .shortAndLong, help: "Name only what is wrong.")
    var quiet = false

    @OptionGroup(title: "Trust (with --repair-from)")
    var trust: TrustOptions

    func validate() throws {
        guard self.objects.store != nil || !self.arguments.isEmpty else {
            throw ValidationError("give the directory of a server, or --store s3://BUCKET")
        }
        try ObjectStoreOptions.refuseBucket(self.dir, "name it by --store, before paths in it")
        if self.objects.store != nil, self.repairFrom != nil || self.unknown == .adopt {
            throw ValidationError("--repair-from and --unknown adopt are for a directory")
        }
        guard self.since == nil || self.unknown == nil || self.unknown == .ignore else {
            throw ValidationError("--since looks at what was stored only; leave out --unknown")
        }
        if let since = self.since, since.seconds == 0 || since.description.allSatisfy(\.isNumber) {
            throw ValidationError("--since takes a time with its unit, as in 12h or 7d")
        }
        guard self.repairFrom != nil || self.trust.isEmpty else {
            throw ValidationError("tokens, keys and certificates go with --repair-from")
        }
    }

    func run() async throws {
        do {
            let scope = try self.scope()
            let reporter = VerificationReporter(asJSON: self.json, isQuiet: self.quiet)
            let limiter = self.limitRate.map { RateLimiter(rate: $0.bytesPerSecond) }
            if let place = try self.objects.place() {
                return try await self.verify(place, scope, reporter, limiter)
            }
            let files = try await StoredFiles(in: RawArgument(text: self.dir).bytes)
            let other = try self.repairFrom.map { try Destination(RawArgument(text: $0)) }
            let client = try other.map { other in
                FileClient(other.endpoint, security: try self.trust.security(isQuiet: self.quiet, json: self.json))
            }
            let outcome = try await Interruptible.run {
                let extent = try await files.verify(scope, limiter: limiter) { reporter.note($0) }
                if let client { await self.repair(reporter, files, client, other?.folder, limiter) }
                return extent
            }
            self.end(outcome, reporter)
        } catch {
            let error = FxferError(wrapping: error)
            self.tell(error, status: ExitStatus.status(for: error.code))
        }
    }

    /// Ends the process, with what was found.
    func end(
        _ outcome: Interruptible<(files: Int, bytes: UInt64)>,
        _ reporter: VerificationReporter
    ) -> Never {
        switch outcome {
        case .finished(let extent): Glibc.exit(reporter.finish(files: extent.files, bytes: extent.bytes))
        case .interrupted(let signal):
            reporter.clear()
            let interruption = FxferError(.cancelled, "interrupted; not everything was read")
            self.tell(interruption, status: ExitStatus.status(for: signal))
        }
    }

    /// Names what stopped the whole command, and ends the process.
    private func tell(_ error: FxferError, status: Int32) -> Never {
        if self.json {
            var line = TransferLine(failure: error)
            line.status = status
            StandardStream.output.write(line: JSONLine.text(line))
        }
        StandardStream.error.write(line: "fxfer: \(error.message)")
        Glibc.exit(status)
    }

    private func repair(
        _ reporter: VerificationReporter,
        _ files: StoredFiles,
        _ client: FileClient,
        _ folder: RelativePath?,
        _ limiter: RateLimiter?
    ) async {
        let decayed = reporter.decayed
        guard !decayed.isEmpty else { return }
        do {
            try await files.repair(decayed, from: client, folder: folder, limiter: limiter) { reporter.note($0) }
        } catch {
            for path in decayed { reporter.note(.notRepaired(path, error.message)) }
        }
    }

    private func scope() throws(FxferError) -> VerificationScope {
        var scope = VerificationScope()
        scope.unknown = self.unknown ?? .report
        scope.since = self.since.map { span in
            FileTime(seconds: Int64(time(nil)) - span.seconds, nanoseconds: 0)
        }
        for text in self.paths {
            var bytes = RawArgument(text: text).bytes[...]
            while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
            while bytes.starts(with: Array("./".utf8)) { bytes.removeFirst(2) }
            if bytes.elementsEqual(Array(".".utf8)) {
                scope.paths = []
                break
            }
            do throws(PathRule) {
                scope.paths.append(try RelativePath(bytes: Array(bytes)))
            } catch {
                let name = EscapedText.escape(Array(bytes))
                throw FxferError(
                    .usage,
                    "'\(name)' \(error.explanation); name a path in '\(EscapedText.escape(RawArgument(text: self.dir).bytes))' from there on"
                )
            }
        }
        return scope
    }
}

extension VerificationScope.Unknown: ExpressibleByArgument {}
