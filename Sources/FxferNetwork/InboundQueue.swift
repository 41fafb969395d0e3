import NIOCore
import Synchronization

/// Elements between the handler that adds them and the one reader who takes them, on whatever thread.
final class InboundQueue<Element: Sendable>: Sendable {
    /// How many bytes may wait before no more are asked for; what one read brings may go beyond.
    private static var maxBytes: Int { 1_048_576 }
    /// The same for elements, which take some memory however few bytes they have.
    private static var maxElements: Int { 8 }

    typealias Waiter = CheckedContinuation<Element?, any Error>

    private struct State {
        var waiting: CircularBuffer<Element> = []
        var bytes = 0
        /// The reader, where it waits.
        var waiter: Waiter?
        /// What comes behind the last element; nil while more may come. An error is told once.
        var end: Result<Element?, any Error>?
        /// Whether the handler was told to wait.
        var isPaused = false

        var isFull: Bool {
            self.bytes >= InboundQueue.maxBytes || self.waiting.count >= InboundQueue.maxElements
        }
    }

    private let state = Mutex(State())
    private let size: @Sendable (Element) -> Int

    init(size: @escaping @Sendable (Element) -> Int) {
        self.size = size
    }

    // MARK: The handler's side

    /// Adds an element, or hands it to a reader who waits. Has no effect after the end.
    func add(_ element: Element) {
        let waiter: Waiter? = self.state.withLock { state in
            guard state.end == nil else { return nil }
            if let waiter = state.waiter.take() { return waiter }
            state.waiting.append(element)
            state.bytes += self.size(element)
            return nil
        }
        waiter?.resume(returning: element)
    }

    /// Whether enough waits; ``endPause()`` tells the reader to bring the handler on then.
    func pauseIfFull() -> Bool {
        self.state.withLock { state in
            state.isPaused = state.isFull
            return state.isPaused
        }
    }

    /// Nothing more comes; the first end counts. What waits is still taken.
    func finish(_ end: Result<Element?, any Error>) {
        let waiter: Waiter? = self.state.withLock { state in
            guard state.end == nil else { return nil }
            guard let waiter = state.waiter.take() else {
                state.end = end
                return nil
            }
            state.end = .success(nil)
            return waiter
        }
        waiter?.resume(with: end)
    }

    // MARK: The reader's side

    /// The reader wants nothing more: what waits is dropped.
    func cancel() {
        self.state.withLock { state in
            state.waiting = []
            state.bytes = 0
        }
        self.finish(.failure(CancellationError()))
    }

    /// Resumes the reader with the next element or the end, now or when it comes.
    func take(_ waiter: Waiter) {
        let result: Result<Element?, any Error>? = self.state.withLock { state in
            if let element = self.popFirst(&state) { return .success(element) }
            guard let end = state.end else {
                precondition(state.waiter == nil, "the stream has one reader")
                state.waiter = waiter
                return nil
            }
            state.end = .success(nil)
            return end
        }
        if let result { waiter.resume(with: result) }
    }

    /// The next element, if it waits already and `condition` holds for it.
    func takeWaiting(where condition: (Element) -> Bool) -> Element? {
        self.state.withLock { state in
            guard let first = state.waiting.first, condition(first) else { return nil }
            return self.popFirst(&state)
        }
    }

    /// Whether the handler waits and need not any more.
    func endPause() -> Bool {
        self.state.withLock { state in
            guard state.isPaused, !state.isFull else { return false }
            state.isPaused = false
            return true
        }
    }

    private func popFirst(_ state: inout State) -> Element? {
        guard let element = state.waiting.popFirst() else { return nil }
        state.bytes -= self.size(element)
        return element
    }
}
