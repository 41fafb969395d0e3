import FxferProtocol
import FxferStorage
import Synchronization

/// What a server has stored in its directory, by the ledger there. The server may be running.
public struct StoredFiles: Sendable {
    /// Where it is.
    let path: [UInt8]
    private let directory: StoredDirectory
    private let pool: DiskPool

    /// Opens the directory of a server.
    ///
    /// - Throws: ``FxferError`` with `noInput` where there is none; `CancellationError`.
    public init(in directory: [UInt8]) async throws {
        let pool = DiskPool.shared
        self.directory = try await pool.run { try StoredDirectory(at: directory) }
        self.path = directory
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
    /// there were and are, and which files were forgotten.
    ///
    /// - Parameter droppingMissing: whether entries of files that are not there any more are left out, too.
    /// - Throws: ``FxferError`` with `noInput`, `damaged` naming the line, `noSpace` or `io`, and the ledger is as it was;
    ///   `CancellationError`.
    public func compactLedger(
        droppingMissing: Bool = false
    ) async throws -> (before: Int, after: Int, forgotten: [RelativePath]) {
        try await self.pool.run { try self.directory.compactLedger(droppingMissing: droppingMissing) }
    }

    /// Reads what was stored again, on all processors, and compares it with the ledger.
    ///
    /// - Parameters:
    ///   - scope: what is looked at.
    ///   - limiter: how fast, at the most.
    ///   - event: called one at a time.
    /// - Returns: how many files were looked at, and their bytes.
    /// - Throws: ``FxferError`` with `noInput` where there is no ledger, or `io`; `CancellationError`.
    public func verify(
        _ scope: VerificationScope = VerificationScope(),
        limiter: RateLimiter? = nil,
        event: @escaping @Sendable (VerificationEvent) -> Void
    ) async throws -> (files: Int, bytes: UInt64) {
        let sink = EventSink(event)
        let verification = Verification(self.directory, scope.stored, pool: self.pool, pace: limiter?.pace) { count in
            sink.note(read: count)
        }
        let extent = try await verification.run(
            begin: { sink.tell(.began(files: $0.files, bytes: $0.bytes)) },
            report: { sink.tell(VerificationEvent($0)) }
        )
        return (extent.files, extent.bytes)
    }
}

/// Hands on events one at a time.
private final class EventSink: Sendable {
    private let event: @Sendable (VerificationEvent) -> Void
    /// How many bytes were read.
    private let read = Mutex<UInt64>(0)

    init(_ event: @escaping @Sendable (VerificationEvent) -> Void) {
        self.event = event
    }

    func tell(_ event: VerificationEvent) {
        self.read.withLock { _ in self.event(event) }
    }

    func note(read count: Int) {
        self.read.withLock { read in
            read += UInt64(count)
            self.event(.progress(bytes: read))
        }
    }
}

extension RateLimiter {
    /// Waits before bytes are read.
    fileprivate var pace: FileProof.Pace {
        { count in
            if let pause = self.pause(before: count) { try await Task.sleep(for: pause) }
        }
    }
}
