import FxferProtocol

/// Complete content: in memory, or in a file that is to be given its name.
struct FinishedContent: ~Copyable, Sendable {
    let size: UInt64
    let digest: Digest
    /// Nil where it has none: in memory is at most 32 KiB.
    let states: HashStates?
    /// Nil where it never was in memory.
    let held: HeldBytes?
    /// Nil where the content is in memory only.
    var file: PublishableFile?
    /// What fstat(2) says of ``file`` once it has content and attributes. Asked for before it has its name, as nothing
    /// that may fail then should be needed to take that back.
    var status: FileStatus?
    /// Whether they are as durable as they have to be.
    var isSealed = false

    init(held: HeldBytes, size: UInt64, digest: Digest) {
        self.size = size
        self.digest = digest
        self.states = nil
        self.held = held
    }

    init(_ finished: consuming FinishedFile) {
        self.size = finished.size
        self.digest = finished.digest
        self.states = finished.states
        self.held = nil
        self.file = PublishableFile(finished.file)
    }
}
