import Dispatch
import Synchronization

/// Writes log lines to standard error on a thread of its own, so that nobody who reads the log slowly, or not at all,
/// holds up the work. Lines that find too many others waiting are dropped and counted.
final class LogWriter: Sendable {
    static let shared = LogWriter()

    /// A few megabytes at most.
    private static let maxWaiting = 10_000

    private let writing = DispatchQueue(label: "fxfer.log")
    private let waiting = Atomic(0)
    private let dropped = Atomic(0)

    private init() {}

    func write(line: String) {
        guard self.waiting.load(ordering: .relaxed) < Self.maxWaiting else {
            self.dropped.add(1, ordering: .relaxed)
            return
        }
        self.waiting.add(1, ordering: .relaxed)
        self.writing.async {
            StandardStream.error.write(line: line)
            self.waiting.subtract(1, ordering: .relaxed)
            let dropped = self.dropped.exchange(0, ordering: .relaxed)
            if dropped > 0 {
                StandardStream.error.write(
                    line: "fxfer: \(dropped) log lines were dropped, as nobody read them in time"
                )
            }
        }
    }

    /// Waits until the lines so far are written, for at most a second.
    func drain() {
        let isDone = DispatchSemaphore(value: 0)
        self.writing.async { isDone.signal() }
        _ = isDone.wait(timeout: .now() + 1)
    }
}
