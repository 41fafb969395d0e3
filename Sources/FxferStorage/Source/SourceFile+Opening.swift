import FxferProtocol
import Glibc

extension SourceFile {
    /// Opens the file that the user named; symbolic links are followed, as by scp.
    ///
    /// It waits, for at most about 20 ms, until the file's ctime lies in the past of the clock that file times are
    /// taken from. That clock moves in ticks (1 to 10 ms): a write in the same tick as the one before would leave the
    /// same times and so be invisible to ``checkUnchanged()``. Where the ctime lies further ahead (the clock was set
    /// back, the file is written all the time) it goes on nevertheless.
    ///
    /// - Throws: `.noInput` where there is nothing of that name, it is no regular file, or it cannot be read;
    ///   `CancellationError`.
    package static func open(path: [UInt8], pool: DiskPool = .shared) async throws -> SourceFile {
        try await pool.run { try Self.openBlocking(SourceName(bytes: path), pool) }
    }

    private static func openBlocking(_ name: SourceName, _ pool: DiskPool) throws(FxferError) -> SourceFile {
        guard !name.bytes.contains(0), !name.bytes.isEmpty else { throw name.missing() }
        let path = CPath(name.bytes)
        do {
            try Self.check(path, name)
            // O_NONBLOCK: should it be a FIFO by now, opening must not wait for a writer. No effect on regular files.
            let file = try OwnedDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
            let status = try Self.settledStatus(of: file)
            guard status.kind == .regular else { throw name.notRegular(status.kind) }
            posix_fadvise(file.number, 0, 0, POSIX_FADV_SEQUENTIAL)
            return SourceFile(name, file, status, pool)
        } catch let error as Errno {
            switch error.number {
            case ENOENT: throw name.missing()
            case EMFILE, ENFILE: throw name.unreadable(error, .busy)
            default: throw name.unreadable(error, .noInput)
            }
        } catch let error as FxferError {
            throw error
        } catch {
            throw FxferError(.internal, "cannot open '\(name.text)'", cause: error)
        }
    }

    /// Looks before it opens: opening alone wakes a FIFO's writer, rewinds a tape, arms a watchdog.
    private static func check(_ path: CPath, _ name: SourceName) throws {
        var status = stat()
        try once { fstatat(AT_FDCWD, path.characters, &status, 0) }
        let kind = FileKind(mode: status.st_mode)
        guard kind == .regular else { throw name.notRegular(kind) }
    }

    /// The status of a file once its ctime is older than now on the clock of file times.
    static func settledStatus(of file: borrowing OwnedDescriptor) throws(Errno) -> FileStatus {
        var status = try file.status()
        for _ in 0..<20 where !Self.isPast(status.stamp.changed) {
            var millisecond = timespec(tv_sec: 0, tv_nsec: 1_000_000)
            nanosleep(&millisecond, nil)
            status = try file.status()
        }
        return status
    }

    private static func isPast(_ time: FileTime) -> Bool {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &now)
        let coarse = FileTime(now)
        return (time.seconds, time.nanoseconds) < (coarse.seconds, coarse.nanoseconds)
    }
}
