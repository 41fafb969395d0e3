import Glibc
import Testing

@testable import FxferStorage

@Suite("How many files may be open")
struct DescriptorBudgetTests {
    @Test("one too many is refused as the system would, until another is closed")
    func full() throws {
        let budget = DescriptorBudget()
        budget.limit(to: 2)
        try budget.take()
        try budget.take()
        for _ in 0..<3 {
            #expect(throws: Errno(EMFILE)) { try budget.take() }
        }
        budget.giveBack()
        try budget.take()
        #expect(throws: Errno(EMFILE)) { try budget.take() }
    }

    @Test("a lower limit leaves open what is open")
    func lowered() throws {
        let budget = DescriptorBudget()
        for _ in 0..<3 { try budget.take() }
        budget.limit(to: 1)
        budget.giveBack()
        #expect(throws: Errno(EMFILE)) { try budget.take() }
        budget.giveBack()
        budget.giveBack()
        try budget.take()
    }
}
