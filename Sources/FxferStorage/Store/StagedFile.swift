import FxferProtocol
import NIOCore

/// A file on its way into a store: out of sight, and gone without trace unless it is published or kept as a partial.
///
/// Calls are made one after the other, but for ``discard(keepingPartial:)``, which may come at any time. After a call
/// failed, only ``discard(keepingPartial:)`` makes sense; others fail again.
package protocol StagedFile: Sendable {
    /// How many bytes the file has: where the next ones go.
    var position: UInt64 { get }

    /// The topmost folder of the path that did not exist when the file was staged; nil where that is not known. Nothing
    /// beneath it can be there already.
    var newFolder: RelativePath? { get }

    /// Whether a part of it may be left for a later try: a path has one such file at most, and who offers it again takes
    /// it over.
    var mayLeavePartial: Bool { get }

    /// Adds `bytes` at the position and hashes them, where that takes no file call; false where it takes one: nothing
    /// was added then, and ``append(_:)`` does it. Never waits.
    func appendInMemory(_ bytes: ByteBuffer) -> Bool

    /// Adds `pieces`, one behind the other, at the position and hashes them.
    ///
    /// - Throws: `.noSpace`, `.tooLarge`, `.io`; `CancellationError` where nothing was added.
    func append(_ pieces: [ByteBuffer]) async throws

    /// Adds the bytes from the position to `offset` of the decayed file for whose repair this one was staged, and hashes
    /// them.
    ///
    /// - Throws: `.noSpace`, `.tooLarge`, `.io`; `CancellationError`. `.internal` for any other file.
    func fill(upTo offset: UInt64) async throws

    /// SHA-256 of the file so far. Cheap, and never waits for the disk unless an ``append(_:)`` is under way.
    func runningDigest() -> Digest

    /// What was appended is verified: this is the position to go back to from now on, and the part that a later try may
    /// go on from. Never waits.
    func keep()

    /// Takes back what was appended since ``keep()``, or since the start. Never waits.
    func rewind()

    /// Forgets all content: the position is 0 afterwards. Never waits.
    func restart()

    /// Makes the file as durable as was asked when it was staged, and publishes it up to the position, with its attributes, together with others that are
    /// ready at the same time.
    ///
    /// After success, file and name survive a loss of power, unless less was asked for. After failure the staged file is gone and the name is as it
    /// was: `.exists` where something else has the name, `.cannotCreate`, `.noSpace`, `.busy`, `.io`, `.damaged` (read
    /// again, it was different). Of several who
    /// publish one name at once, one stores.
    ///
    /// - Parameters:
    ///   - origin: who sent it, for the store's records.
    ///   - completion: called once, on any thread.
    func publish(from origin: Origin, _ completion: @escaping @Sendable (Result<Publication, FxferError>) -> Void)

    /// Gives the file up, even in a cancelled task. Has no effect on a file that was published or given up.
    ///
    /// The same happens, without a partial, when the last reference to a file is gone; this tells when it is done.
    ///
    /// - Parameter keepingPartial: whether what is verified may be kept for a later try.
    func discard(keepingPartial: Bool) async
}

extension StagedFile {
    package var newFolder: RelativePath? { nil }
    package var mayLeavePartial: Bool { false }

    package func fill(upTo offset: UInt64) async throws {
        throw FxferError.repairsNone
    }

    /// ``append(_:)`` for one piece.
    package func append(_ bytes: ByteBuffer) async throws {
        try await self.append([bytes])
    }

    /// ``publish(from:_:)`` for those who wait.
    package func publish(from origin: Origin = Origin()) async throws -> Publication {
        try await withCheckedContinuation { continuation in
            self.publish(from: origin) { continuation.resume(returning: $0) }
        }.get()
    }
}

extension FxferError {
    /// Only a file that is staged to repair another can be filled.
    static var repairsNone: FxferError {
        FxferError(.internal, "a file that repairs none has nothing to be filled from")
    }
}
