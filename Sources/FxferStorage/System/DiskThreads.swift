import CLinux
import Dispatch
import NIOCore
import Synchronization

/// Threads that run jobs, started as they are needed and never ended.
///
/// Of the threads that wait, the one that was at work last gets the next job: what it needs is in the caches of its
/// processor. One big file keeps one thread busy then. Pools usually wake the one that has waited longest; with that,
/// 512 MiB over TLS took 1.03 s instead of 0.85 s on two cores, as each job woke another thread on another processor.
final class DiskThreads: Sendable {
    /// What a thread does; answers how those who wait for it are told. They are told when the thread is free again, so
    /// that the job that they give in turn finds it and does not wake another one.
    typealias Job = @Sendable () -> Completion
    typealias Completion = () -> Void

    private struct State {
        /// Jobs that no thread has taken yet, the oldest first.
        var jobs: CircularBuffer<Job> = []
        /// What wakes the threads that wait, the last one that was at work at the end.
        var idle: [DispatchSemaphore] = []
        var started = 0
    }

    private let state = Mutex(State())
    private let maximum: Int
    /// Asked for once, as that reads files of the system.
    private let processors = System.coreCount

    /// - Parameter maximum: how many threads there are at the most, at least one.
    init(maximum: Int) {
        self.maximum = maximum
    }

    /// Has a thread run `job`, now or when one is free; where `onlyIfIdle`, unless as many threads are at work as there
    /// are processors.
    func run(onlyIfIdle: Bool = false, _ job: @escaping Job) {
        let (idle, startsThread) = self.state.withLock { state -> (DispatchSemaphore?, Bool) in
            guard !onlyIfIdle || state.started - state.idle.count < self.processors else { return (nil, false) }
            state.jobs.append(job)
            if let idle = state.idle.popLast() { return (idle, false) }
            guard state.started < self.maximum else { return (nil, false) }
            state.started += 1
            return (nil, true)
        }
        idle?.signal()
        if startsThread { self.startThread() }
    }

    /// Where the system has no more threads, those that there are run the job.
    private func startThread() {
        do throws(Errno) {
            try Thread.start { self.work() }
        } catch {
            let left = self.state.withLock { state in
                state.started -= 1
                return state.started
            }
            // Without a thread no job would ever end, and nobody be told why.
            precondition(left > 0, "no thread can be started: \(error)")
        }
    }

    /// What a thread does.
    private func work() -> Never {
        _ = clinux_name_thread("disk")
        let wake = DispatchSemaphore(value: 0)
        while true {
            var job = self.nextJob(orWait: wake)
            while job != nil {
                let completion = Self.perform(&job)
                job = self.nextJob(orWait: wake)
                completion()
            }
            wake.wait()
        }
    }

    /// Runs the job and lets go of it, and so of what it holds: that may take long, too, and the thread counts as free
    /// afterwards.
    private static func perform(_ job: inout Job?) -> Completion {
        job.take()?() ?? {}
    }

    /// The oldest job; nil where there is none, and `wake` is signalled for one later. (Another thread may have taken it
    /// by then.)
    private func nextJob(orWait wake: DispatchSemaphore) -> Job? {
        self.state.withLock { state in
            if let job = state.jobs.popFirst() { return job }
            state.idle.append(wake)
            return nil
        }
    }
}
