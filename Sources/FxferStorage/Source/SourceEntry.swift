import FxferProtocol

/// One step of a walk through what is to be sent: something to send, or why something is not sent.
package struct SourceEntry: Sendable {
    /// What was found.
    package enum Content: Sendable {
        /// A small file, read whole, and where it is stored.
        case loaded(LoadedFile, RelativePath)
        /// A larger file, open for reading, and where it is stored.
        case file(SourceFile, RelativePath)
        /// A folder, all of whose contents came before it, and where it is stored.
        case folder(FileAttributes, RelativePath)
        /// Something that is left out on purpose; `reason` says what it is, "a symbolic link".
        case skipped(reason: String)
        /// Something that ought to be sent and cannot be.
        case failed(FxferError)
    }

    /// The path of this machine under which it was found: the root as the user gave it, and the names below it.
    package let source: [UInt8]
    package let content: Content
}
