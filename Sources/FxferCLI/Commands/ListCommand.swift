import ArgumentParser
import Fxfer
import FxferProtocol
import Glibc
import Synchronization

/// `fxfer list HOST[:PORT][/FOLDER]`
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List a folder of a server.",
        discussion: """
            The server has to share its files (fxfer serve --share). One line a file or folder: permissions, size in \
            bytes, time of the last modification (UTC), name; folders end with a slash.

              fxfer list host:3000
              fxfer list host:3000/2026 --json
            """
    )

    @Argument(help: ArgumentHelp("The server, and the folder if it is not the top.", valueName: "host[:port][/folder]"))
    var folder: String

    @Option(help: ArgumentHelp("How long to wait for a connection, and for a silent server.", valueName: "seconds"))
    var timeout: UInt32 = 60

    @OptionGroup(title: "Trust")
    var trust: TrustOptions

    @Flag(help: "Write one JSON object a line.")
    var json = false

    func validate() throws {
        guard self.timeout > 0 else {
            throw ValidationError("--timeout takes a number of seconds from 1 on")
        }
    }

    func run() async throws {
        do {
            let remote = try RemotePath(RawArgument(text: self.folder))
            let isLost = Mutex(false)
            let json = self.json
            let security = try self.trust.security(isQuiet: false, json: json)
            let client = FileClient(remote.endpoint, security: security, timeout: .seconds(self.timeout))
            try await client.list(remote.path) { entry in
                let isWritten = StandardStream.output.write(line: ListLine(entry).text(asJSON: json))
                if !isWritten { isLost.withLock { $0 = true } }
            }
            if isLost.withLock({ $0 }) {
                throw FxferError(.io, "standard output could not be written")
            }
        } catch {
            if self.json {
                StandardStream.output.write(line: JSONLine.text(TransferLine(failure: FxferError(wrapping: error))))
            }
            ExitStatus.exit(error)
        }
    }
}
