import FxferProtocol
import FxferStorage

/// A file of this machine, looked at as an upload would look at it.
public struct LocalFile: Sendable {
    private let source: SourceFile

    /// Opens a regular file; symbolic links are followed.
    ///
    /// - Throws: ``FxferError`` with `noInput` where it does not exist, cannot be read, or is no regular file.
    public init(path: [UInt8]) async throws {
        self.source = try await SourceFile.open(path: path)
    }

    /// Its size in bytes.
    public var size: UInt64 { self.source.size }

    /// Reads it from front to back and answers its SHA-256.
    ///
    /// - Throws: ``FxferError`` where it cannot be read or is changed meanwhile.
    public func digest() async throws -> Digest {
        let digest = try await self.source.hashPrefix(self.size)
        try await self.source.checkUnchanged()
        return digest
    }

    /// Looks at files and folders that are to be sent, without opening them.
    ///
    /// - Returns: for each path its attributes, or `noInput` where it does not exist, may not be read, or is neither
    ///   file nor folder.
    /// - Throws: `CancellationError`.
    public static func look(at paths: [[UInt8]]) async throws -> [Result<FileAttributes, FxferError>] {
        try await SourceLook.look(at: paths)
    }
}
