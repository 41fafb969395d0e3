import FxferProtocol
import Glibc

/// Where a staged file or folder is to be published and what it shall look like there.
struct PublishingTarget: Sendable {
    let path: RelativePath
    let isFolder: Bool
    /// Nil for a folder whose sender tells none.
    let permissions: mode_t?
    let modified: FileTime?
    let conflict: ConflictPolicy
    /// Whether it may only take the name of a file that was stored with just this content and has decayed. Anything else is
    /// refused then, also where nothing has the name, or a file has this content that was not stored with it.
    let repairsOnly: Bool
    /// How durable it has to become; at most `durable` for a folder, which has no content.
    let level: Durability
}
