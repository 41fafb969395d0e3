import FxferProtocol

/// The inner states of a file's SHA-256 at each multiple of ``interval`` bytes that lies within the file.
///
/// They cut the file into steps, each of which can be hashed on its own from its own state, and has to end in the next
/// one's: the first from the standard's initial value, the last with the file's digest. Where all steps hold, the file
/// has that digest, whoever wrote the states; one that does not hold is where it was changed (``FileProof``).
///
/// There is no state at the file's end, as nothing is hashed from there: a file of `n` bytes has (n - 1) / interval of
/// them, rounded down, and one of up to 1 MiB none.
package struct HashStates: Equatable, Sendable {
    /// Bytes between two states at first: 1 MiB.
    package static let smallestInterval: UInt64 = 1 << 20
    /// How many there are at the most: 2 MiB of them, for 64 GiB at the smallest interval.
    package static let maxCount = 65_536

    /// Bytes between two states: a multiple of 64, at least 64.
    package private(set) var interval: UInt64
    /// The one after `interval` bytes first.
    private(set) var states: [HashState] = []
    private let maxCount: Int

    package var isEmpty: Bool { self.states.isEmpty }

    /// No states yet.
    ///
    /// - Parameter maxCount: where there would be more, every second one is dropped, and the interval doubles.
    package init(interval: UInt64 = Self.smallestInterval, maxCount: Int = Self.maxCount) {
        precondition(interval > 0 && interval.isMultiple(of: UInt64(HashState.blockSize)), "there is no such state")
        self.interval = interval
        self.maxCount = maxCount
    }

    /// Where the next state is to be taken, in bytes from the file's start.
    var nextPosition: UInt64 { UInt64(self.states.count + 1) * self.interval }

    /// Adds the state at ``nextPosition``; drops it where it is one too many.
    mutating func add(_ state: HashState) {
        let position = self.nextPosition
        if self.states.count == self.maxCount { self.halve() }
        if position == self.nextPosition { self.states.append(state) }
    }

    private mutating func halve() {
        self.states = stride(from: 1, to: self.states.count, by: 2).map { self.states[$0] }
        self.interval *= 2
    }

    /// Forgets the states that a file of so many bytes does not have. The interval stays.
    mutating func truncate(to size: UInt64) {
        let count = Self.count(for: size, self.interval)
        guard count < self.states.count else { return }
        self.states.removeLast(self.states.count - Int(count))
    }

    /// Whether there are as many as a file of `size` bytes has.
    package func fits(_ size: UInt64) -> Bool {
        UInt64(self.states.count) == Self.count(for: size, self.interval)
    }

    /// How many states a file of `size` bytes has.
    static func count(for size: UInt64, _ interval: UInt64) -> UInt64 {
        size == 0 ? 0 : (size - 1) / interval
    }
}

/// The steps of a file whose size the states fit.
extension HashStates {
    var stepCount: Int { self.states.count + 1 }

    /// The bytes of a step.
    func step(_ index: Int, of size: UInt64) -> Range<UInt64> {
        let start = UInt64(index) * self.interval
        return start..<(index < self.states.count ? start + self.interval : size)
    }

    /// The state that a step begins with.
    func start(of index: Int) -> HashState {
        index == 0 ? .initial : self.states[index - 1]
    }

    /// The state that a step has to end in; nil for the last one.
    func end(of index: Int) -> HashState? {
        index < self.states.count ? self.states[index] : nil
    }
}
