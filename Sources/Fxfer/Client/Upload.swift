import FxferProtocol

/// A file to send and the name that it gets.
public struct Upload: Sendable {
    /// The path of the local file, as the file system knows it.
    public let source: [UInt8]
    /// Where it is stored, relative to the server's directory.
    public let destination: RelativePath

    /// Describes one upload.
    public init(source: [UInt8], destination: RelativePath) {
        self.source = source
        self.destination = destination
    }
}

/// What a server acknowledged: the file is verified, durable, and has its name.
public struct UploadReceipt: Hashable, Sendable {
    /// Where it is stored, relative to the server's directory.
    public let path: RelativePath
    /// Its size in bytes.
    public let size: UInt64
    /// Its SHA-256.
    public let digest: Digest
    /// Whether a file with this name and content was there already.
    public let wasThere: Bool
    /// How often a part had to be sent again because it arrived damaged.
    public let repairs: Int
}

/// What happens to an upload, in this order: started, progress any number of times, ended.
public enum UploadEvent: Sendable {
    /// The file is offered; its size in bytes.
    case started(Upload, size: UInt64)
    /// The server has verified that many bytes so far.
    case progress(Upload, verified: UInt64)
    /// The upload is over, well or not. Not every upload that ends was started.
    case ended(Upload, Result<UploadReceipt, FxferError>)
}
