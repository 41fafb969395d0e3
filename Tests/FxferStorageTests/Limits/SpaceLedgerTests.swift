import FxferProtocol
import Testing

@testable import FxferStorage

@Suite("A ledger of space")
struct SpaceLedgerTests {
    private let ledger = SpaceLedger(limit: 100)

    @Test("grants what fits together with all that is under way")
    func claims() throws {
        let first = try #require(self.ledger.claim(60))
        #expect(self.ledger.claim(41) == nil)
        let second = try #require(self.ledger.claim(40))
        #expect(self.ledger.total == 100)
        first.settle(leaving: 0)
        #expect(self.ledger.total == 40)
        second.settle(leaving: 40)
        #expect(self.ledger.total == 40)
    }

    @Test("has back what belonged to a claim that is gone, once")
    func release() throws {
        var claim = self.ledger.claim(60)
        #expect(self.ledger.total == 60)
        claim?.settle(leaving: 10)
        claim?.settle(leaving: 0)
        claim = nil
        #expect(self.ledger.total == 10)
        claim = self.ledger.claim(60)
        claim = nil
        #expect(self.ledger.total == 10)
    }

    @Test("lets a claim grow up to the limit, and keeps it as it was beyond")
    func growth() {
        let claim = self.ledger.enter(nil, holding: 0)
        #expect(claim.grow(to: 50) == .granted)
        #expect(claim.grow(to: 50) == .held)
        #expect(claim.grow(to: 49) == .held)
        #expect(claim.grow(to: 101) == .overLimit)
        #expect(self.ledger.total == 50)
        #expect(claim.grow(to: 100) == .granted)
    }

    @Test("does not trap on any number", arguments: [nil, 0, .max] as [UInt64?])
    func largeNumbers(limit: UInt64?) {
        let ledger = SpaceLedger(limit: limit)
        let claims = [UInt64.max, 1 << 63, 1 << 62, 1 << 62, 1 << 62, .max].map { size in
            let claim = ledger.enter(nil, holding: 0)
            _ = claim.grow(to: size)
            claim.note(position: .max, kept: .max)
            claim.note(position: 1, kept: 0)
            return claim
        }
        ledger.beginMeasuring()
        claims[0].settle(leaving: .max)
        ledger.measured(.max)
        claims[1].settle(leaving: .max)
        _ = ledger.enter(nil, holding: .max)
        #expect(ledger.claim(.max) == nil)
    }

    @Test("knows how much is still to come")
    func toCome() throws {
        let claim = try #require(self.ledger.claim(60))
        let other = self.ledger.enter(nil, holding: 10)
        #expect(other.grow(to: 30) == .granted)
        #expect(self.ledger.toCome == 80)
        claim.note(position: 50, kept: 0)
        #expect(self.ledger.toCome == 30)
        claim.note(position: 0, kept: 0)
        #expect(self.ledger.toCome == 80)
        claim.settle(leaving: 60)
        #expect(self.ledger.toCome == 20)
    }

    @Test("counts a partial once, whoever has it")
    func partials() throws {
        let path = try RelativePath(bytes: "a".utf8)
        self.ledger.measured(50)
        let first = self.ledger.enter(path, holding: 50)
        #expect(self.ledger.total == 50)
        #expect(first.grow(to: 90) == .granted)
        first.note(position: 70, kept: 60)
        // A later connection takes the partial over while the first does not know yet.
        let second = self.ledger.enter(path, holding: 60)
        #expect(self.ledger.total == 60)
        #expect(second.grow(to: 90) == .granted)
        #expect(first.grow(to: 100) == .held)
        first.settle(leaving: 60)
        #expect(self.ledger.total == 90)
        second.settle(leaving: 80)
        #expect(self.ledger.total == 80)
    }

    @Test("counts what is stored while it is measured, found or not")
    func measuring() throws {
        let claim = try #require(self.ledger.claim(30))
        let open = try #require(self.ledger.claim(20))
        self.ledger.beginMeasuring()
        claim.settle(leaving: 30)
        self.ledger.measured(10)
        #expect(self.ledger.total == 60)
        self.ledger.beginMeasuring()
        self.ledger.measured(40)
        #expect(self.ledger.total == 60)
        open.settle(leaving: 0)
        #expect(self.ledger.total == 40)
    }
}
