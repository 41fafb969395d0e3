import NIOCore
import Testing

@testable import Fxfer

@Suite("a pace has a lower bound")
struct PaceWatchTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private var watch = PaceWatch(minRate: 100, idleTimeout: .seconds(60))

    @Test("a beginning of which nothing follows is too slow after the grace, not before")
    mutating func stall() {
        self.watch.waits(holding: 3, now: Self.start)
        #expect(!self.watch.isTooSlow(now: Self.start + .seconds(10)))
        #expect(self.watch.isTooSlow(now: Self.start + .milliseconds(10_001)))
    }

    @Test("drips count on average, however many there are", arguments: [(90, true), (110, false)])
    mutating func drips(bytesPerSecond: Int, isTooSlow: Bool) {
        for second in 0..<20 {
            self.watch.waits(holding: 0, now: Self.start + .seconds(Int64(second)))
            self.watch.waitIsOver(now: Self.start + .seconds(Int64(second + 1)))
            self.watch.moved(bytesPerSecond)
        }
        #expect(self.watch.isTooSlow(now: Self.start + .seconds(20)) == isTooSlow)
    }

    @Test("time in which this side does not wait is nobody's fault")
    mutating func ownWork() {
        self.watch.waits(holding: 1, now: Self.start)
        self.watch.waitIsOver(now: Self.start + .seconds(9))
        #expect(!self.watch.isTooSlow(now: Self.start + .seconds(1000)))
        self.watch.waits(holding: 1, now: Self.start + .seconds(1000))
        #expect(!self.watch.isTooSlow(now: Self.start + .seconds(1001)))
        #expect(self.watch.isTooSlow(now: Self.start + .seconds(1002)))
    }

    @Test("what is whole is forgotten: the next beginning has a grace of its own")
    mutating func whole() {
        self.watch.waits(holding: 1, now: Self.start)
        self.watch.isWhole()
        #expect(!self.watch.isTooSlow(now: Self.start + .seconds(100)))
        self.watch.waits(holding: 1, now: Self.start + .seconds(100))
        #expect(!self.watch.isTooSlow(now: Self.start + .seconds(110)))
        #expect(self.watch.isTooSlow(now: Self.start + .seconds(111)))
    }

    @Test("a fast beginning is a credit")
    mutating func credit() {
        self.watch.moved(100 * 50)
        self.watch.waits(holding: 0, now: Self.start)
        #expect(!self.watch.isTooSlow(now: Self.start + .seconds(49)))
        #expect(self.watch.isTooSlow(now: Self.start + .seconds(51)))
    }

    @Test("the grace is no longer than a silence may be")
    func shortGrace() {
        var watch = PaceWatch(minRate: 100, idleTimeout: .seconds(2))
        watch.waits(holding: 0, now: Self.start)
        #expect(!watch.isTooSlow(now: Self.start + .seconds(2)))
        #expect(watch.isTooSlow(now: Self.start + .seconds(3)))
    }

    @Test("where any rate is allowed nothing is too slow")
    func off() {
        var watch = PaceWatch(minRate: 0, idleTimeout: .seconds(60))
        watch.waits(holding: 0, now: Self.start)
        #expect(!watch.isTooSlow(now: Self.start + .hours(1000)))
    }
}
