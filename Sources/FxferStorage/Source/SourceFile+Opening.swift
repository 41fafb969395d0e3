import FxferProtocol
import Glibc

extension SourceFile {
    /// Opens the file that the user named; symbolic links are followed, as by scp.
    ///
    /// It waits, for a moment, until changes show; see ``settledStatus(of:)``.
    ///
    /// - Throws: `.noInput` where there is nothing of that name, it is no regular file, or it cannot be read; `.busy`
    ///   where descriptors have run out; `CancellationError`.
    package static func open(path: [UInt8], pool: DiskPool = .shared) async throws -> SourceFile {
        try await pool.run { SourceFile(try OpenedSource(SourceName(bytes: path)), pool) }
    }

    /// Makes sure, on this thread, that ``open(path:pool:)`` would open the file.
    package static func check(path: [UInt8]) throws {
        _ = try OpenedSource(SourceName(bytes: path))
    }

    /// Goes on with `source`, which will be read from front to back.
    convenience init(_ source: consuming OpenedSource, _ pool: DiskPool) {
        posix_fadvise(source.file.number, 0, 0, POSIX_FADV_SEQUENTIAL)
        let (name, status) = (source.name, source.status)
        self.init(name, source.release(), status, pool)
    }

    /// The status of a file once its ctime is older than now on the clock of file times.
    ///
    /// That clock moves in ticks (1 to 10 ms): a write in the same tick as the one before would leave the same times
    /// and so be invisible to ``checkUnchanged()``. The wait is at most about 20 ms; where the ctime lies further ahead
    /// (the clock was set back, the file is written all the time) it goes on nevertheless.
    static func settledStatus(of file: borrowing OwnedDescriptor) throws(Errno) -> FileStatus {
        var status = try file.status()
        for _ in 0..<20 where Self.isRecent(status.stamp.changed) {
            var millisecond = timespec(tv_sec: 0, tv_nsec: 1_000_000)
            nanosleep(&millisecond, nil)
            status = try file.status()
        }
        return status
    }

    /// Whether `time` is not past, yet so near that waiting helps: at most 20 ms ahead.
    private static func isRecent(_ time: FileTime) -> Bool {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &now)
        let (seconds, overflow) = time.seconds.subtractingReportingOverflow(Int64(now.tv_sec))
        guard !overflow, (0...1).contains(seconds) else { return false }
        let ahead = seconds * 1_000_000_000 + Int64(time.nanoseconds) - Int64(now.tv_nsec)
        return (0...20_000_000).contains(ahead)
    }
}
