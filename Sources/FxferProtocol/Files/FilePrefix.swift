/// The beginning of a file, proven by its digest: the unit in which content is compared, confirmed and finished.
package struct FilePrefix: Hashable, Sendable {
    /// How many bytes.
    package var length: UInt64
    /// SHA-256 of these bytes: the running digest at offset `length`.
    package var digest: Digest

    package init(length: UInt64, digest: Digest) {
        self.length = length
        self.digest = digest
    }

    /// No bytes.
    package static let empty = FilePrefix(length: 0, digest: .ofNothing)
}
