import FxferProtocol
import NIOCore

/// A file on its way into a store: out of sight, and gone without trace unless it is published.
///
/// Calls are made one after the other, but for ``discard()``, which may come at any time. After a call threw, only
/// ``discard()`` makes sense; others throw again.
package protocol StagedFile: Sendable {
    /// How many bytes the file has: where the next ones go.
    var position: UInt64 { get }

    /// Adds `bytes` at the position and hashes them.
    ///
    /// - Throws: `.noSpace`, `.tooLarge`, `.io`; `CancellationError` where nothing was added.
    func append(_ bytes: ByteBuffer) async throws

    /// SHA-256 of the file so far. Cheap, and never waits for the disk unless an ``append(_:)`` is under way.
    func runningDigest() -> Digest

    /// What was appended is verified: this is the position to go back to from now on.
    func keep()

    /// Takes back what was appended since ``keep()``, or since the start.
    func rewind()

    /// Makes the file durable and publishes it up to the position, with its attributes; nothing is ever replaced.
    ///
    /// After it returned, file and name survive a loss of power. After it threw, the staged file is gone and the name
    /// is as it was. Of several who publish one name at once, one stores.
    ///
    /// - Throws: `.exists` where something else has the name, `.cannotCreate`, `.noSpace`, `.busy`, `.io`;
    ///   `CancellationError` where it had not begun.
    func publish() async throws -> Publication

    /// Gives the file up, even in a cancelled task. Has no effect on a file that was published or given up.
    ///
    /// The same happens when the last reference to a file is gone; this tells when it is done.
    func discard() async
}
