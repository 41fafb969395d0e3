import FxferProtocol
import FxferStorage

/// What a server has stored in its directory, by the ledger there. The server may be running.
public struct StoredFiles: Sendable {
    private let directory: StoredDirectory
    private let pool: DiskPool

    /// Opens the directory of a server.
    ///
    /// - Throws: ``FxferError`` with `noInput` where there is none; `CancellationError`.
    public init(in directory: [UInt8]) async throws {
        let pool = DiskPool.shared
        self.directory = try await pool.run { try StoredDirectory(at: directory) }
        self.pool = pool
    }

    /// The SHA-256 of each file as it was stored last, in the order of the paths' bytes; and where the ledger is damaged:
    /// "line 3: it is not as it was written".
    ///
    /// - Throws: ``FxferError`` with `noInput` or `io`; `CancellationError`.
    public func sums() async throws -> (sums: [(path: RelativePath, digest: Digest)], damages: [String]) {
        let content = try await self.pool.run { try self.directory.readLedger() }
        let sums = content.latest.values.map { ($0.path, $0.digest) }
            .sorted { $0.0.bytes.lexicographicallyPrecedes($1.0.bytes) }
        return (sums, content.damages)
    }

    /// Leaves of the ledger the last entry of each path, under the hash that receipts name; answers how many entries
    /// there were and are.
    ///
    /// - Parameter droppingMissing: whether entries of files that are not there any more are left out, too.
    /// - Throws: ``FxferError`` with `noInput`, `damaged` naming the line, `noSpace` or `io`, and the ledger is as it was;
    ///   `CancellationError`.
    public func compactLedger(droppingMissing: Bool = false) async throws -> (before: Int, after: Int) {
        try await self.pool.run { try self.directory.compactLedger(droppingMissing: droppingMissing) }
    }
}
