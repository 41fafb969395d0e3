import Synchronization

/// How much of what connections have brought in, and nobody has dealt with yet, may be in memory, over all connections
/// that share it. Where it is spent, each of them still goes on, in small steps.
package final class ReadBudget: Sendable {
    /// What the connections of this process share: 8 MiB, so that four of them can have 1 MiB in work and 1 MiB
    /// waiting.
    package static let shared = ReadBudget(bytes: 8 << 20)

    /// What each connection may read at once, however many there are: 8 KiB. With 1,000 of them this takes half as much
    /// memory of TLS as 16 KiB, a whole record, does.
    private static let leastRead = 8 << 10

    private let bytes: Int
    private let held = Atomic(0)
    private let readers = Atomic(0)

    /// - Parameter bytes: how much there is in all.
    package init(bytes: Int) {
        self.bytes = bytes
    }

    /// Whether nothing is left.
    var isSpent: Bool { self.held.load(ordering: .relaxed) >= self.bytes }

    /// How many bytes may be asked of a socket at once: an equal share, as a connection with TLS keeps so much memory; a
    /// power of two, as `ByteBuffer` rounds what it allocates up to one.
    var largestRead: Int {
        let share = self.bytes / max(self.readers.load(ordering: .relaxed), 1)
        return max(1 << (Int.bitWidth - 1 - share.leadingZeroBitCount), Self.leastRead)
    }

    /// Counts one who reads.
    func join() {
        self.readers.add(1, ordering: .relaxed)
    }

    /// Counts one less, who gives back what of it was not dealt with.
    func leave(with count: Int) {
        self.readers.subtract(1, ordering: .relaxed)
        self.giveBack(count)
    }

    /// Counts bytes that came in.
    func take(_ count: Int) {
        self.held.add(count, ordering: .relaxed)
    }

    /// Counts them as dealt with.
    func giveBack(_ count: Int) {
        self.held.subtract(count, ordering: .relaxed)
    }
}
