import Fxfer
import FxferProtocol
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the token file again at each SIGHUP, as long as the server runs. A file that cannot be read changes nothing.
struct TokenReloading: Service {
    private let tokens: AcceptedTokens
    private let file: [UInt8]
    private let manager: ServiceManager
    private let logger: Logger

    /// - Parameter file: its path, as the file system knows it.
    init(_ tokens: AcceptedTokens, file: [UInt8], _ manager: ServiceManager, _ logger: Logger) {
        self.tokens = tokens
        self.file = file
        self.manager = manager
        self.logger = logger
    }

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            self.manager.reloading()
            let words = self.reload()
            self.manager.ready(words)
        }
    }

    /// Answers what was done, for the service manager's status.
    private func reload() -> String {
        do throws(FxferError) {
            let list = try TokenList.load(path: self.file)
            self.tokens.replace(by: list)
            self.logger.notice("tokens read again", metadata: ["tokens": "\(list.entries.count)"])
            return "\(list.entries.count) tokens"
        } catch {
            self.logger.error("tokens not read again, the old ones stay", metadata: ["reason": "\(error.message)"])
            return "the token file cannot be read, the old tokens stay: \(error.message)"
        }
    }
}
