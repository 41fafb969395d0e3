import NIOCore

/// Runs the tasks of one connection on its event loop: what is isolated to the connection's actor, and also what is
/// isolated to nothing.
///
/// Both matter. A continuation wakes its task where tasks that are isolated to nothing run; with NIO's own executor that
/// is one of Swift's threads, from which the task then goes on to the loop: two threads are woken each time that the
/// disk or the socket has something.
package final class EventLoopExecutor: TaskExecutor, SerialExecutor {
    private let eventLoop: any EventLoop

    package init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.eventLoop.execute {
            job.runSynchronously(isolatedTo: self.asUnownedSerialExecutor(), taskExecutor: self.asUnownedTaskExecutor())
        }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(complexEquality: self)
    }

    package func isSameExclusiveExecutionContext(other: EventLoopExecutor) -> Bool {
        self.eventLoop === other.eventLoop
    }

    package func checkIsolated() {
        self.eventLoop.preconditionInEventLoop()
    }
}
