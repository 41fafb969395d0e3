import NIOCore

/// How reads of a socket are sized: they begin small and grow with what comes, as far as the budget allows, so that a
/// connection that says little costs little memory.
package struct BudgetedReadAllocator: RecvByteBufferAllocator {
    private static let initialSize = 4096

    private var sizes: AdaptiveRecvByteBufferAllocator
    private let budget: ReadBudget

    /// - Parameter maximum: the most bytes asked of the socket at once; 4 KiB at the least.
    package init(maximum: Int, _ budget: ReadBudget) {
        let maximum = max(maximum, Self.initialSize)
        self.sizes = AdaptiveRecvByteBufferAllocator(
            minimum: Self.initialSize,
            initial: Self.initialSize,
            maximum: maximum
        )
        self.budget = budget
    }

    /// The same from its beginning, with `maximum` where that is less.
    package func limited(to maximum: Int) -> Self {
        Self(maximum: min(maximum, self.sizes.maximum), self.budget)
    }

    package func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        let size = self.sizes.nextBufferSize() ?? Self.initialSize
        return allocator.buffer(capacity: min(size, self.budget.largestRead))
    }

    /// Always true, and no size is told in advance: else the channel would keep the largest buffer that it ever had for
    /// its next read.
    package mutating func record(actualReadBytes: Int) -> Bool {
        _ = self.sizes.record(actualReadBytes: actualReadBytes)
        return true
    }
}
