import NIOCore
import Synchronization

/// The threads on which file calls block, so that neither an event loop nor Swift's own threads ever do.
///
/// A call in progress is never abandoned; one that still waits for a thread is, when its task is cancelled.
package final class DiskPool: Sendable {
    /// The pool of the process, never shut down.
    package static let shared = DiskPool(threads: DiskPool.sharedThreads)

    /// How many threads it has. Files of the system are read for it, which starts no thread.
    package static let sharedThreads = max(16, System.coreCount)

    /// How many bytes long work hashes in one hop to the pool, between which a cancelled task ends: about 10 ms at
    /// 1.7 GB/s.
    static let bytesPerHop: UInt64 = 16 << 20

    private let threads: DiskThreads

    /// - Parameter threads: how many there are at the most.
    ///
    /// 16 are the default: threads here wait for the disk rather than compute, and concurrent fsyncs share a journal
    /// commit. Durable small files a second on ext4, 2 cores: 2,100 with one thread, 2,800 with 2, 3,800 with 4, 5,100
    /// with 8, 5,300 with 16, 2,900 with 32. On machines with more cores, as many as cores: each can hash.
    package init(threads: Int) {
        self.threads = DiskThreads(maximum: threads)
    }

    /// Runs `body` on a thread of the pool.
    ///
    /// - Throws: what `body` throws; `CancellationError` where the task was cancelled before a thread was free.
    package func run<T: Sendable>(
        _ body: @escaping @Sendable () throws -> T
    ) async throws -> T {
        let call = Call()
        // For ThreadSanitizer: it cannot see how a continuation that is resumed before its task waits hands on what the job
        // has written.
        defer { _ = call.hasEnded.load(ordering: .acquiring) }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                self.threads.run {
                    let result =
                        call.isCancelled.load(ordering: .relaxed)
                        ? .failure(CancellationError()) : Result(catching: body)
                    call.hasEnded.store(true, ordering: .releasing)
                    return { continuation.resume(with: result) }
                }
            }
        } onCancel: {
            call.isCancelled.store(true, ordering: .relaxed)
        }
    }

    /// One that may be abandoned until a thread takes it.
    private final class Call: Sendable {
        let isCancelled = Atomic(false)
        let hasEnded = Atomic(false)
    }

    /// Runs `body` even in a cancelled task: for cleaning up.
    package func runInAnyCase(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            self.threads.run {
                body()
                return { continuation.resume() }
            }
        }
    }

    /// Runs `body` on a thread of the pool, some time, and again for as long as it answers true: a turn each time, between
    /// which others get theirs.
    package func submitTurns(_ body: @escaping @Sendable () -> Bool) {
        self.threads.run {
            let goesOn = body()
            return { if goesOn { self.submitTurns(body) } }
        }
    }

    /// Runs `body` on a thread of the pool, some time; does not wait for it.
    package func submit(_ body: @escaping @Sendable () -> Void) {
        self.threads.run {
            body()
            return {}
        }
    }

    /// Lets another thread begin with `job`, unless the processors have enough to do; ``SideJob/finish()`` waits for it.
    func offer<T>(_ job: SideJob<T>) {
        self.threads.run(onlyIfIdle: true) {
            job.runUnlessTaken()
            return {}
        }
    }
}
