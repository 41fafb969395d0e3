import Dispatch
import Glibc
import Synchronization
import Testing

@testable import FxferStorage

@Suite("A job beside another")
struct SideJobTests {
    @Test("is done by the thread that waits where no other came first, once")
    func alone() {
        let runs = Atomic(0)
        let job = SideJob {
            runs.add(1, ordering: .relaxed)
            return pthread_self()
        }
        #expect(job.finish() == pthread_self())
        job.runUnlessTaken()
        #expect(runs.load(ordering: .relaxed) == 1)
    }

    @Test("is waited for where another thread has begun")
    func elsewhere() async throws {
        let pool = DiskPool(threads: 2)
        let (begun, waited) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let job = SideJob {
            begun.signal()
            waited.wait()
            return pthread_self()
        }
        pool.offer(job)
        let (doer, waiter) = try await pool.run {
            begun.wait()
            waited.signal()
            return (job.finish(), pthread_self())
        }
        #expect(doer != waiter)
    }

    @Test("does not wait for a thread where all are busy")
    func busy() async throws {
        let pool = DiskPool(threads: 1)
        let (doer, waiter) = try await pool.run {
            let job = SideJob { pthread_self() }
            pool.offer(job)
            return (job.finish(), pthread_self())
        }
        #expect(doer == waiter)
    }
}
