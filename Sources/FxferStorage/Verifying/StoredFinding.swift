import FxferProtocol

/// What a ``Verification`` finds that is not as it should be.
package enum StoredFinding: Hashable, Sendable {
    /// The file has other content than it was stored with.
    case changed(RelativePath, Change)
    /// The file is not there.
    case missing(RelativePath)
    /// The file, or the folder, could not be read; why. Whether it is as it was stored is not known. It has decayed where
    /// the disk does not give what was stored there.
    case unreadable([UInt8], String, hasDecayed: Bool)
    /// Something is there that is no folder, and the ledger says nothing of it. Its path may be one that no stored file
    /// can have. The reason says why it was not adopted, where it was to be.
    case unknown([UInt8], reason: String?)
    /// Such a file, which the ledger knows from now on.
    case adopted(RelativePath, Digest)
    /// The ledger itself is not as it was written: "line 3: it does not follow on the line before".
    case ledger(String)

    /// How a file was changed.
    package struct Change: Hashable, Sendable {
        /// Which bytes, as far as that can be told; see ``FileProof``.
        package let ranges: [Range<UInt64>]
        /// Whether size or time are others, too: somebody has written it. Otherwise it decayed, or somebody has set the
        /// time back.
        package let isRewritten: Bool

        package init(ranges: [Range<UInt64>], isRewritten: Bool) {
            self.ranges = ranges
            self.isRewritten = isRewritten
        }
    }
}
