import FxferProtocol
import Glibc

extension DirectoryStore {
    /// What can be chosen about a directory store.
    package struct Options: Sendable {
        /// Permission bits of files whose sender tells none: 0o666 less the process's umask.
        package var defaultPermissions: UInt16 = UInt16(truncatingIfNeeded: 0o666 & ~FileCreationMask.current())
        /// What becomes of a file whose name another one has.
        package var conflict = ConflictPolicy.refuse
        /// Where files are staged.
        package var layout = Layout.ownFolder
        /// How many bytes of small files may be in memory at once.
        package var memory = 32 << 20
        /// How long what is left of an unfinished file is kept for a later try; none is kept where this is 0.
        package var keepPartialsFor: Duration = .seconds(24 * 60 * 60)
        /// How many bytes of such files are kept together.
        package var maxPartialBytes: UInt64 = 100 << 30
        /// How long a connection may append nothing to its file before another that offers the same path takes over.
        package var takeOverAfter: Duration = .seconds(3)

        package init() {}

        var partialRules: PartialRules {
            PartialRules(
                keepFor: self.keepPartialsFor,
                maxBytes: self.maxPartialBytes,
                takeOverAfter: self.takeOverAfter
            )
        }
    }

    /// Where files are staged.
    package enum Layout: Sendable {
        /// In `DIR/.fxfer/partials`, which is made.
        case ownFolder
        /// In `DIR` itself, under names that begin with `.fxfer-`; no path may begin so.
        case beside
    }
}
