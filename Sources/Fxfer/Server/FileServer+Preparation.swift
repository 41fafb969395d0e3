import FxferProtocol
import FxferStorage
import FxferTrust
import Glibc
import NIOCore

extension FileServer {
    /// Reads what the libraries below ask of the system when they are first used, for a process that may not read it
    /// later: the number of cores and its limits, and libcrypto's configuration. Starts no thread.
    package static func prepareProcess() {
        _ = DiskPool.sharedThreads
        _ = NIOSingletons.groupLoopCountSuggestion
        _ = NIOSingletons.blockingPoolThreadCountSuggestion
        Libcrypto.readConfiguration()
    }

    /// Makes the directory that a server will receive into, where it is missing; ``run()`` would do so, too.
    ///
    /// - Throws: what ``run()`` throws for a directory that cannot be made.
    package static func makeDirectory(at path: [UInt8]) throws(FxferError) {
        try DirectoryStore.makeDirectory(at: path)
    }

    /// Takes permissions away from files whose sender tells none, and from folders, as umask(2) does, beside those that
    /// the process's umask takes. For a process with one thread.
    package static func withhold(permissions: UInt16) {
        FileCreationMask.withhold(mode_t(permissions))
    }
}
