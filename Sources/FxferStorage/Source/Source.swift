import FxferProtocol

/// Where the bytes of an upload come from: read from front to back in chunks, hashed once, able to go back to what is
/// not confirmed.
///
/// Calls are made one after the other; only ``confirm(_:)`` may come while something is read.
package protocol Source: Sendable {
    /// What is said about it in the offer.
    var attributes: FileAttributes { get }

    /// Reads and hashes up to `count` bytes at `offset`, where the last call ended or ``rewind(to:)`` went; fewer only
    /// at the end of a source whose size is not known, and none there the next time.
    ///
    /// The end of the chunk is remembered for ``rewind(to:)`` until it is confirmed.
    ///
    /// - Throws: `.sourceChanged`, `.io`, `.internal` where the offset is another one; `CancellationError`.
    func read(at offset: UInt64, count: Int) async throws -> SourceChunk

    /// The receiver has verified everything before `offset`: it will not ask for anything before it again.
    func confirm(_ offset: UInt64)

    /// Goes back to `offset`, the end of a chunk that is not confirmed or the last confirmed offset.
    ///
    /// - Throws: `.internal` where that place is not remembered.
    func rewind(to offset: UInt64) throws

    /// Goes back to the start, as if nothing had been read.
    ///
    /// - Throws: `.internal` where that is not possible any more.
    func restart() throws

    /// Hashes the first `length` bytes and stays there: the next ``read(at:count:)`` goes on at `length`.
    ///
    /// - Throws: `.sourceChanged` where there are fewer bytes, `.io`; `CancellationError`.
    func hashPrefix(_ length: UInt64) async throws -> Digest

    /// Reads and hashes on from where the last call ended up to `offset`, and hands nothing out; that place is remembered
    /// for ``rewind(to:)``.
    ///
    /// - Throws: `.sourceChanged` where there are fewer bytes, `.io`, `.internal` where that is not possible;
    ///   `CancellationError`.
    func skip(to offset: UInt64) async throws

    /// Makes sure that what was read is still what the source holds.
    ///
    /// - Throws: `.sourceChanged`, `.io`; `CancellationError`.
    func checkUnchanged() async throws

    /// Lets go of memory and other means that can be had again.
    func releaseBuffers()
}
