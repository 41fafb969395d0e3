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
    /// How durable it has to become; at most `durable` for a folder, which has no content.
    let level: Durability
}
