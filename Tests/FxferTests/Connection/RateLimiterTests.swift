import NIOCore
import Testing

@testable import Fxfer

@Suite("A rate is kept")
struct RateLimiterTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test("each portion waits for those before it to be paid off")
    func pauses() {
        let limiter = RateLimiter(rate: 1000)
        #expect(limiter.pause(before: 500, now: Self.start) == nil)
        #expect(limiter.pause(before: 250, now: Self.start) == .milliseconds(500))
        #expect(limiter.pause(before: 250, now: Self.start + .milliseconds(500)) == .milliseconds(250))
        #expect(limiter.pause(before: 1, now: Self.start + .milliseconds(999)) == .milliseconds(1))
        #expect(limiter.pause(before: 1, now: Self.start + .milliseconds(1001)) == nil)
    }

    @Test("a rest saves no credit: there is no burst after it", arguments: [0, 1, 3600] as [Int64])
    func noBurst(rest: Int64) {
        let limiter = RateLimiter(rate: 1000)
        #expect(limiter.pause(before: 1000, now: Self.start) == nil)
        let later = Self.start + .seconds(1 + rest)
        #expect(limiter.pause(before: 1000, now: later) == nil)
        #expect(limiter.pause(before: 1000, now: later) == .seconds(1))
        #expect(limiter.pause(before: 1000, now: later) == .seconds(2))
    }

    @Test("over many portions the rate is kept", arguments: [10_240, 100_000, 1_000_000] as [UInt64])
    func sum(rate: UInt64) throws {
        let limiter = RateLimiter(rate: rate)
        var now = Self.start
        var passed: UInt64 = 0
        for _ in 0..<100 {
            if let pause = limiter.pause(before: limiter.portion, now: now) { now = now + TimeAmount(pause) }
            passed += UInt64(limiter.portion)
        }
        let seconds = Double((now - Self.start).nanoseconds) / 1e9
        let paid = Double(passed - UInt64(limiter.portion))
        #expect(abs(paid / seconds - Double(rate)) < Double(rate) / 1000)
    }

    @Test("bytes of no size cost nothing, and the largest number does not overflow")
    func extremes() {
        let limiter = RateLimiter(rate: 1)
        #expect(limiter.pause(before: 0, now: Self.start) == nil)
        #expect(limiter.pause(before: .max, now: Self.start) == nil)
        #expect(limiter.pause(before: 1, now: Self.start) == .seconds(1_000_000_000))
    }

    @Test(
        "a portion is a tenth of a second, at least 1 KiB, at most 1 GiB",
        arguments: [
            (1, 1024), (10_239, 1024), (10_250, 1025), (102_400, 10_240), (1 << 40, 1 << 30), (.max, 1 << 30),
        ] as [(UInt64, Int)]
    )
    func portions(rate: UInt64, portion: Int) {
        #expect(RateLimiter(rate: rate).portion == portion)
    }
}
