import Synchronization

/// How much of a store's small files may be in memory at once, counted by the sizes that were announced.
final class MemoryBudget: Sendable {
    private let free: Atomic<Int>

    /// - Parameter bytes: what may be taken in all.
    init(bytes: Int) {
        self.free = Atomic(bytes)
    }

    /// The least that a file counts for, in bytes: what its objects take beside the content.
    static let leastShare = 1 << 10

    /// A part of the budget, given back when the last reference to it is gone.
    final class Share: Sendable {
        private let budget: MemoryBudget
        private let bytes: Int

        fileprivate init(_ budget: MemoryBudget, _ bytes: Int) {
            self.budget = budget
            self.bytes = bytes
        }

        deinit {
            self.budget.free.add(self.bytes, ordering: .relaxed)
        }
    }

    /// Takes a part for a file of `size` bytes; nil where not so much is left.
    func share(for size: Int) -> Share? {
        let bytes = max(size, Self.leastShare)
        var free = self.free.load(ordering: .relaxed)
        while free >= bytes {
            let (exchanged, original) = self.free.weakCompareExchange(
                expected: free,
                desired: free - bytes,
                ordering: .relaxed
            )
            if exchanged { return Share(self, bytes) }
            free = original
        }
        return nil
    }
}
