import ArgumentParser
import Fxfer
import FxferProtocol
import Glibc

/// `fxfer verify DIR [PATH…]`
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
              fxfer verify --unknown adopt ./out             take what was put there by hand into the ledger
            """
    )

    @Argument(help: ArgumentHelp("The directory of a server.", valueName: "dir"), completion: .directory)
    var dir: String

    @Argument(
        help: ArgumentHelp("Files and folders in it, as the ledger names them; everything without.", valueName: "path")
    )
    var paths: [String] = []

    @Option(help: ArgumentHelp("Only what was stored within this time, as in 12h or 7d.", valueName: "time"))
    var since: DurationArgument?

    @Option(
        help: ArgumentHelp(
            "What to do about files that the ledger does not know: ignore, report (they are wrong), or adopt them.",
            valueName: "what"
        ),
        completion: .list(VerificationScope.Unknown.allCases.map(\.rawValue))
    )
    var unknown = VerificationScope.Unknown.report

    @Option(help: ArgumentHelp("Read at most that many bytes a second.", valueName: "rate"))
    var limitRate: RateArgument?

    @Flag(help: "Write one JSON object a line.")
    var json = false

    @Flag(name: .shortAndLong, help: "Name only what is wrong.")
    var quiet = false

    func run() async throws {
        do {
            let files = try await StoredFiles(in: RawArgument(text: self.dir).bytes)
            let scope = try self.scope()
            let reporter = VerificationReporter(asJSON: self.json, isQuiet: self.quiet)
            let limiter = self.limitRate.map { RateLimiter(rate: $0.bytesPerSecond) }
            let outcome = try await Interruptible.run {
                try await files.verify(scope, limiter: limiter) { reporter.note($0) }
            }
            switch outcome {
            case .finished(let extent): Glibc.exit(reporter.finish(files: extent.files, bytes: extent.bytes))
            case .interrupted(let signal):
                reporter.clear()
                StandardStream.error.write(line: "fxfer: interrupted; what was not named yet is not verified")
                Glibc.exit(ExitStatus.status(for: signal))
            }
        } catch {
            ExitStatus.exit(error)
        }
    }

    private func scope() throws(FxferError) -> VerificationScope {
        var scope = VerificationScope()
        scope.unknown = self.unknown
        scope.since = self.since.map { span in
            FileTime(seconds: Int64(time(nil)) - span.seconds, nanoseconds: 0)
        }
        for text in self.paths {
            let bytes = Array(RawArgument(text: text).bytes.reversed().drop { $0 == UInt8(ascii: "/") }.reversed())
            do {
                scope.paths.append(try RelativePath(bytes: bytes))
            } catch {
                throw FxferError(
                    .usage,
                    "'\(EscapedText.escape(bytes))' is no path in the directory: it \(error.explanation)"
                )
            }
        }
        return scope
    }
}

extension VerificationScope.Unknown: ExpressibleByArgument {}
