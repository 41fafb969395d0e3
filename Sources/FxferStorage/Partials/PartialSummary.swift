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
}
