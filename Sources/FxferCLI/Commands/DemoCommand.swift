import ArgumentParser
import Fxfer
import FxferProtocol
import Glibc

/// `fxfer demo [FILE…]`
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Show both ends at work on this machine.",
        discussion: """
            Starts a server on a free loopback port with a temporary directory, sends the files to it (or 256 MiB that \
            it makes), computes the stored files' digests anew, and removes everything again.

              fxfer demo
              fxfer demo photo.raw
            """
    )

    @Argument(help: ArgumentHelp("The files to send.", valueName: "file"), completion: .file())
    var files: [String] = []

    func run() async throws {
        do {
            Glibc.exit(try await self.demonstrate())
        } catch {
            ExitStatus.exit(error)
        }
    }

    private func demonstrate() async throws -> Int32 {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let files = self.files.map { RawArgument(text: $0).bytes }
        let outcome = try await Interruptible.run {
            let sources = files.isEmpty ? [try folder.makeSample()] : files
            return try await Demonstration(sources: sources, received: folder.path(of: "received")).run()
        }
        switch outcome {
        case .finished(let status): return status
        case .interrupted(let signal): return ExitStatus.status(for: signal)
        }
    }
}
