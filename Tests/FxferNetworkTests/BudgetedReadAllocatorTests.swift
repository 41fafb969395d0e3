import NIOCore
import Testing

@testable import FxferNetwork

@Suite("How reads of a socket are sized")
struct BudgetedReadAllocatorTests {
    private func capacity(_ allocator: BudgetedReadAllocator) -> Int {
        allocator.buffer(allocator: ByteBufferAllocator()).capacity
    }

    /// What is asked for after `reads` that all came back full.
    private func grown(_ allocator: BudgetedReadAllocator, reads: Int = 20) -> Int {
        var allocator = allocator
        for _ in 0..<reads { _ = allocator.record(actualReadBytes: self.capacity(allocator)) }
        return self.capacity(allocator)
    }

    @Test("they begin with 4 KiB and grow with what comes, up to the maximum")
    func growth() {
        let allocator = BudgetedReadAllocator(maximum: 1 << 20, ReadBudget(bytes: 8 << 20))
        #expect(self.capacity(allocator) == 4096)
        #expect(self.grown(allocator, reads: 1) == 8192)
        #expect(self.grown(allocator) == 1 << 20)
        #expect(self.grown(allocator.limited(to: 1 << 17)) == 1 << 17)
        #expect(self.grown(allocator.limited(to: 1 << 17).limited(to: 1 << 30)) == 1 << 17)
    }

    @Test("a maximum below 4 KiB is 4 KiB", arguments: [1, 0, -1])
    func smallMaximum(maximum: Int) {
        #expect(self.grown(BudgetedReadAllocator(maximum: maximum, ReadBudget(bytes: 8 << 20))) == 4096)
    }

    @Test(
        "each of many readers gets an equal share, rounded down to a power of two, and never less than 8 KiB",
        arguments: [(4, 1 << 18), (5, 1 << 17), (1000, 8192)]
    )
    func shares(readers: Int, share: Int) {
        let budget = ReadBudget(bytes: 1 << 20)
        for _ in 0..<readers { budget.join() }
        let allocator = BudgetedReadAllocator(maximum: 1 << 20, budget)
        #expect(self.grown(allocator) == share)
        for _ in 1..<readers { budget.leave(with: 0) }
        #expect(self.grown(allocator) == 1 << 20)
    }

    @Test("no memory is kept from one read to the next")
    func nothingKept() {
        var pool = NIOPooledRecvBufferAllocator(
            capacity: 1,
            recvAllocator: BudgetedReadAllocator(maximum: 1 << 20, ReadBudget(bytes: 8 << 20))
        )
        for _ in 1...20 {
            var (buffer, size) = pool.buffer(allocator: ByteBufferAllocator()) { buffer in
                let size = buffer.writableBytes
                buffer.writeRepeatingByte(0, count: size)
                return size
            }
            pool.record(actualReadBytes: size)
            // All but the very first are held by nobody else.
            #expect(size == 4096 || buffer.modifyIfUniquelyOwned { _ in true } == true)
        }
    }
}
