import Glibc
import NIOCore
import Synchronization

/// The ledger as an open file. It is only ever added to at its end.
final class LedgerFile: Sendable {
    let descriptor: OwnedDescriptor
    /// How many bytes were written at the least.
    private let written = Atomic<UInt64>(0)
    private let flushes = Mutex(Flushes())

    private struct Flushes {
        /// How many bytes are durable at the least.
        var length: UInt64 = 0
        var failure: Errno?
    }

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }

    /// Locks it against other processes; waits at the most until `deadline`, and tries at least once.
    ///
    /// - Throws: EWOULDBLOCK where others have it locked for longer.
    func lock(until deadline: NIODeadline) throws(Errno) {
        while try !self.descriptor.tryLock(.exclusive) {
            guard NIODeadline.now() < deadline else { throw Errno(EWOULDBLOCK) }
            // Most hold it for less than that.
            var millisecond = timespec(tv_sec: 0, tv_nsec: 1_000_000)
            nanosleep(&millisecond, nil)
        }
    }

    func unlock() {
        self.descriptor.unlock()
    }

    /// In bytes.
    func length() throws(Errno) -> UInt64 {
        try self.descriptor.status().size
    }

    /// What the first line says, where a compaction has made it.
    func compaction() throws(Errno) -> CompactionLine? {
        var lines = LedgerLines(to: try self.length(), readSize: 1024)
        return try lines.next(in: self.descriptor).flatMap { CompactionLine($0.bytes) }
    }

    /// Adds `bytes` at the end, `length`; where that fails, the file is as it was.
    func append(_ bytes: [UInt8], at length: UInt64) throws(Errno) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(Errno) in try self.descriptor.write(buffer, at: length) }
        }
        do {
            try result.get()
        } catch {
            try? self.descriptor.truncate(to: length)
            throw error
        }
        self.written.store(length + UInt64(bytes.count), ordering: .releasing)
    }

    /// Makes the first `length` bytes durable. Those who wait while another flushes are served together by one flush.
    ///
    /// Once it failed it fails for good, as a second flush may succeed without what the first one lost.
    func sync(upTo length: UInt64) throws(Errno) {
        try self.flushes.withLock { flushes throws(Errno) in
            guard flushes.length < length else { return }
            if let failure = flushes.failure { throw failure }
            let written = self.written.load(ordering: .acquiring)
            do throws(Errno) {
                try self.descriptor.sync()
            } catch {
                flushes.failure = error
                throw error
            }
            flushes.length = written
        }
    }

    /// How many bytes were flushed at the least.
    var durableLength: UInt64 { self.flushes.withLock { $0.length } }
}
