import FxferProtocol
import FxferStorage

/// A file or folder that is to be sent, open or loaded.
struct PendingUpload: Sendable {
    enum Content: Sendable {
        case loaded(LoadedFile)
        case folder(FileAttributes)
        case source(any Source)
    }

    let file: TransferFile
    let destination: RelativePath
    let content: Content
    let expected: ExpectedContent?
    /// Whether it was offered before, on a connection that broke.
    var isRetry = false

    init(
        _ content: Content,
        from source: [UInt8],
        to destination: RelativePath,
        expected: ExpectedContent? = nil
    ) {
        self.content = content
        self.destination = destination
        self.expected = expected
        self.file = TransferFile(source: source, destination: destination.bytes, isFolder: content.isFolder)
    }
}

extension PendingUpload.Content {
    var isFolder: Bool {
        if case .folder = self { true } else { false }
    }

    var attributes: FileAttributes {
        switch self {
        case .loaded(let loaded): loaded.attributes
        case .folder(let attributes): attributes
        case .source(let source): source.attributes
        }
    }
}
