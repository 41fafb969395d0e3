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
        /// How many bytes wait.
        var bytes = 0
        /// How many bytes the reader has taken and works on, until it waits for more.
        var takenBytes = 0
        /// The reader, where it waits.
        var waiter: Waiter?
        /// What comes behind the last element; nil while more may come. An error is told once.
        var end: Result<Element?, any Error>?
        /// Whether the handler was told to wait.
        var isPaused = false
    }

    private let state = Mutex(State())
    private let size: @Sendable (Element) -> Int
    private let budget: ReadBudget

    /// - Parameter size: how many bytes an element has.
    init(_ budget: ReadBudget, size: @escaping @Sendable (Element) -> Int) {
        self.budget = budget
        self.size = size
        budget.join()
    }

    deinit {
        self.state.withLock { self.budget.leave(with: $0.bytes + $0.takenBytes) }
    }

    // MARK: The handler's side

    /// Adds an element, or hands it to a reader who waits. Has no effect after the end.
    func add(_ element: Element) {
        let waiter: Waiter? = self.state.withLock { state in
            guard state.end == nil else { return nil }
            let size = self.size(element)
            self.budget.take(size)
            if let waiter = state.waiter.take() {
                state.takenBytes += size
                return waiter
            }
            state.waiting.append(element)
            state.bytes += size
            return nil
        }
        waiter?.resume(returning: element)
    }

    /// Whether enough waits; ``endPause()`` tells the reader to bring the handler on then.
    func pauseIfFull() -> Bool {
        self.state.withLock { state in
            state.isPaused = self.isFull(state)
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
            self.budget.giveBack(state.bytes)
            state.bytes = 0
        }
        self.finish(.failure(CancellationError()))
    }

    /// Resumes the reader with the next element or the end, now or when it comes.
    func take(_ waiter: Waiter) {
        let result: Result<Element?, any Error>? = self.state.withLock { state in
            self.budget.giveBack(state.takenBytes)
            state.takenBytes = 0
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
            guard state.isPaused, !self.isFull(state) else { return false }
            state.isPaused = false
            return true
        }
    }

    private func popFirst(_ state: inout State) -> Element? {
        guard let element = state.waiting.popFirst() else { return nil }
        let size = self.size(element)
        state.bytes -= size
        state.takenBytes += size
        return element
    }

    /// Whether the handler is to wait for the reader, who takes what waits, or is done with what it has taken.
    private func isFull(_ state: State) -> Bool {
        if state.bytes >= Self.maxBytes || state.waiting.count >= Self.maxElements { return true }
        return state.bytes + state.takenBytes > 0 && self.budget.isSpent
    }
}
