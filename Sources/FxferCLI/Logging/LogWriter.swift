import Dispatch
import Synchronization

/// Writes log lines to standard error on a thread of its own, so that nobody who reads the log slowly, or not at all,
/// holds up the work. Lines that find too many others waiting are dropped and counted.
final class LogWriter: Sendable {
    static let shared = LogWriter()

    /// A few megabytes at most.
    private static let maxWaiting = 10_000

    private struct Waiting {
        var text: [UInt8] = []
        var lines = 0
        var dropped = 0
    }

    private let writing = DispatchQueue(label: "fxfer.log")
    private let waiting = Mutex(Waiting())

    private init() {}

    func write(line: String) {
        let isFirst = self.waiting.withLock { waiting in
            guard waiting.lines < Self.maxWaiting else {
                waiting.dropped += 1
                return false
            }
            waiting.text.append(contentsOf: line.utf8)
            waiting.text.append(UInt8(ascii: "\n"))
            waiting.lines += 1
            return waiting.lines == 1
        }
        if isFirst { self.writing.async { self.writeWaiting() } }
    }

    private func writeWaiting() {
        let taken = self.waiting.withLock { waiting in
            let taken = waiting
            waiting = Waiting()
            return taken
        }
        StandardStream.error.write(bytes: taken.text)
        if taken.dropped > 0 {
            StandardStream.error.write(
                line: "fxfer: \(taken.dropped) log lines were dropped, as nobody read them in time"
            )
        }
    }

    /// Waits until the lines so far are written, for at most a second.
    func drain() {
        let isDone = DispatchSemaphore(value: 0)
        self.writing.async {
            // A line may be waiting whose thread has not come to say so.
            self.writeWaiting()
            isDone.signal()
        }
        _ = isDone.wait(timeout: .now() + 1)
    }
}
