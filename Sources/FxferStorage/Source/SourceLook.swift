import FxferProtocol
import Glibc

/// A look at what a user wants to send, before anything is sent.
package enum SourceLook {
    /// Looks at each path, in one hop to the pool: what it is, and whether it may be read. Nothing is opened.
    ///
    /// - Returns: for each path its attributes, or `.noInput` where it does not exist, may not be read, or is neither
    ///   file nor folder.
    /// - Throws: `CancellationError`.
    package static func look(
        at paths: [[UInt8]],
        pool: DiskPool = .shared
    ) async throws -> [Result<FileAttributes, FxferError>] {
        try await pool.run {
            paths.map { path in
                Result { () throws(FxferError) in try Self.attributes(of: SourceName(bytes: path)) }
            }
        }
    }

    private static func attributes(of name: SourceName) throws(FxferError) -> FileAttributes {
        let status = try name.look()
        guard [.regular, .folder].contains(status.kind) else { throw name.notRegular(status.kind) }
        try name.opening {
            let mode = status.kind == .folder ? R_OK | X_OK : R_OK
            try once(.faccessat, CPath(name.bytes)) { faccessat(AT_FDCWD, $0, mode, AT_EACCESS) }
        }
        return status.attributes
    }
}
