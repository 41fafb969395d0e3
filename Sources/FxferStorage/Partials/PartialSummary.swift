import FxferProtocol

/// What is left of a file whose transfer ended early, as a list shows it.
package struct PartialSummary: Hashable, Sendable {
    /// Where the file was to be published.
    package let path: RelativePath
    /// The size that its sender announced, in bytes.
    package let size: UInt64
    /// How many bytes a later try need not send again, by the journal; they are read back only when it begins.
    package let verified: UInt64
    /// When the last of them were written down.
    package let lastWrite: FileTime
    /// Whether it is being received just now.
    package let isInUse: Bool

    package init(path: RelativePath, size: UInt64, verified: UInt64, lastWrite: FileTime, isInUse: Bool) {
        self.path = path
        self.size = size
        self.verified = verified
        self.lastWrite = lastWrite
        self.isInUse = isInUse
    }
}
