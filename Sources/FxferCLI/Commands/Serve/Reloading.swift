import Fxfer
import FxferProtocol
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the token file again at each SIGHUP, as long as the server runs. A file that cannot be read changes nothing.
struct Reloading: Service {
    private let access: AccessOptions.Loaded
    private let manager: ServiceManager
    private let logger: Logger

    init(_ access: AccessOptions.Loaded, _ manager: ServiceManager, _ logger: Logger) {
        self.access = access
        self.manager = manager
        self.logger = logger
    }

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            self.manager.reloading()
            self.reload()
            self.manager.ready()
        }
    }

    private func reload() {
        guard case .tokens(let tokens) = self.access.rule, let file = self.access.tokenFile else {
            self.logger.notice("nothing to read again: there is no token file")
            return
        }
        do throws(FxferError) {
            let list = try TokenList.reload(path: file)
            tokens.replace(by: list)
            self.logger.notice("tokens read again", metadata: ["tokens": "\(list.entries.count)"])
        } catch {
            // The file's own permissions have no cause below them.
            let isShutOut = error.code == .notPermitted && error.cause != nil
            let hint = isShutOut ? "; where its folder was replaced by another, restart the server (its sandbox)" : ""
            self.logger.error(
                "tokens not read again, the old ones stay",
                metadata: ["reason": "\(error.message)\(hint)"]
            )
        }
    }
}
