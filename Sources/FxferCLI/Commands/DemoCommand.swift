import ArgumentParser
import Fxfer
import FxferProtocol
import Glibc
import Logging
import NIOCore

/// `fxfer demo [FILE…]`
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Show both ends at work on this machine.",
        discussion: """
            Starts a server on a free loopback port with a temporary directory, sends the files to it (or 256 MiB that \
            it makes), computes the stored files' digests anew, and removes everything again.
            """
    )

    @Argument(help: ArgumentHelp("The files to send.", valueName: "file"))
    var files: [String] = []

    func run() async throws {
        do {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            var sources = self.files.map { RawArgument(text: $0).bytes }
            if sources.isEmpty {
                sources = [try folder.makeSample()]
            }
            let status = try await Demonstration(folder: folder, sources: sources).run()
            guard status == 0 else {
                folder.remove()
                Glibc.exit(status)
            }
        } catch {
            ExitStatus.exit(error)
        }
    }
}
