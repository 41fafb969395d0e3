import FxferProtocol
import FxferStorage
import NIOCore

/// What a connection knows about the files that go out over it.
struct SendingState<Label: Sendable> {
    /// Nil until the greeting is over.
    var sender: Sender?
    /// Why nothing more can be sent.
    var failure: FxferError?
    /// Files that a task brings forward.
    var open: [FileID: OutgoingFile<Label>] = [:]
    /// Those who wait for an answer about a file.
    var fileWaiters: [FileID: CheckedContinuation<Void, Never>] = [:]
    /// The one who waits for the greeting, or until another file may be offered.
    var turnWaiter: CheckedContinuation<Void, Never>?
    /// Files whose content is in memory: each answer about one is acted upon at once.
    var loaded: [FileID: LoadedOutgoing<Label>] = [:]
    /// The one who waits until there is none of these.
    var loadedWaiter: CheckedContinuation<Void, Never>?
}

/// A file that is open on a connection and goes out.
struct OutgoingFile<Label: Sendable>: Sendable {
    /// What the connection's owner knows it by.
    let label: Label
    let file: FileID
    let source: any Source
    /// What the whole content has to be, or the file is withheld.
    let expected: ExpectedContent?
}

/// The same for a small file or a folder, whose content is in memory. There may be many, and each answer looks one up:
/// so they are not copied.
final class LoadedOutgoing<Label: Sendable>: Sendable {
    let label: Label
    let bytes: ByteBuffer
    let digest: Digest
    let expected: ExpectedContent?

    init(label: Label, bytes: ByteBuffer, digest: Digest, expected: ExpectedContent?) {
        self.label = label
        self.bytes = bytes
        self.digest = digest
        self.expected = expected
    }
}
