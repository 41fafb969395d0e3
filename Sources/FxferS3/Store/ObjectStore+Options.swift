import FxferProtocol
import FxferStorage

extension ObjectStore {
    /// What can be chosen about a store in a bucket.
    package struct Options: Sendable {
        /// Permission bits that are told of files whose sender tells none.
        package var defaultPermissions: UInt16 = 0o644
        /// What becomes of a file whose name another one has.
        package var conflict = ConflictPolicy.refuse
        /// How long what is left of an unfinished file is kept for a later try; none is kept where this is 0.
        package var keepPartialsFor: Duration = .seconds(24 * 60 * 60)
        /// How many bytes of such files are kept together.
        package var maxPartialBytes: UInt64 = 100 << 30
        /// How long nothing may have come of a file before another connection that offers the same path takes over.
        package var takeOverAfter: Duration = .seconds(5)
        /// How many bytes of parts may be in memory at once.
        package var partMemory = 48 << 20
        /// How many bytes of small files, beside these.
        package var smallMemory = 8 << 20
        /// How many bytes of objects that are given may be in memory ahead of those who get them.
        package var windowMemory = 24 << 20
        /// How many bytes of objects may be read at once for those who find no place there, or to be compared.
        package var readMemory = 8 << 20
        /// How long a claim holds that its owner has not renewed; see <doc:ObjectLayout>.
        package var claimLimit: Duration = .seconds(60)

        package init() {}
    }

    /// The largest file that is held in memory from its offer on: 32 KiB.
    static var largestInMemory: UInt64 { 32 << 10 }

    /// The smallest file of which a part is kept for a later try, as in a directory: more than 1 MiB.
    static var smallestKept: UInt64 { 1 << 20 }

    /// The smallest part that a store takes, but for the last one: 5 MiB.
    static var smallestPart: Int { 5 << 20 }

    /// The largest chunk of a file that may come in: 1 MiB. A part is closed at the end of one, so it may be larger by as
    /// much.
    package static var largestChunk: UInt32 { 1 << 20 }

    /// How large the part of that number is at the least, in bytes.
    ///
    /// There are 10,000 parts at the most. Those of a file whose size is known are large enough for it. Of others they
    /// double every 2,500 parts: 183 GiB in all.
    func partSize(_ size: UInt64?, number: Int) -> Int {
        guard let size else { return Self.smallestPart << ((min(max(number, 1), S3Client.maxParts) - 1) / 2500) }
        // Some are larger by the end of a chunk, none smaller.
        let least = (size / UInt64(S3Client.maxParts - 1) + (1 << 20)) & ~UInt64((1 << 20) - 1)
        return max(Self.smallestPart, Int(clamping: least))
    }

    /// How much memory the part of that number needs, in bytes, of which `rest` bytes of the file are to come.
    func memoryOfPart(_ size: UInt64?, number: Int, rest: UInt64?) -> Int {
        let most = self.partSize(size, number: number) + Int(Self.largestChunk)
        return rest.map { Int(min($0, UInt64(most))) } ?? most
    }

    /// How large a file may be whose parts have to be in memory one at a time, in bytes.
    var largestFile: UInt64 { UInt64(self.options.partMemory - Int(Self.largestChunk)) * UInt64(S3Client.maxParts - 1) }

    func isTooLarge(_ path: RelativePath) -> FxferError {
        FxferError(
            .noSpace,
            "cannot store '\(path)': the largest file that can go into this bucket has \(self.largestFile >> 30) GiB, "
                + "and a stream \(Self.largestStream >> 30) GiB"
        )
    }

    private static var largestStream: UInt64 { UInt64(2500 * (1 + 2 + 4 + 8)) * UInt64(Self.smallestPart) }
}
