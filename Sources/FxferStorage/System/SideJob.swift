import Dispatch
import Synchronization

/// A job that a second thread may do beside the one that needs its result: whoever comes first does it.
///
/// So the one that waits for it never waits for a thread to become free.
final class SideJob<T: Sendable>: Sendable {
    private let body: @Sendable () -> T
    private let isTaken = Atomic(false)
    private let result = Mutex<T?>(nil)
    private let ended = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () -> T) {
        self.body = body
    }

    /// Does the job, unless it is done or another thread is doing it.
    func runUnlessTaken() {
        guard !self.isTaken.exchange(true, ordering: .relaxed) else { return }
        let result = self.body()
        self.result.withLock { $0 = result }
        self.ended.signal()
    }

    /// Does the job, or waits for the thread that is doing it; answers its result. To be called once.
    func finish() -> T {
        self.runUnlessTaken()
        self.ended.wait()
        guard let result = self.result.withLock({ $0 }) else { preconditionFailure("a job that ended has a result") }
        return result
    }
}
