import NIOCore
import Testing

@testable import Fxfer

@Suite("silence is bounded")
struct IdleWatchTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test("a peer that is silent in its turn is given up after the time-out, not before")
    func expires() {
        var watch = IdleWatch(timeout: .seconds(60), now: Self.start)
        #expect(watch.check(now: Self.start + .seconds(60), isWorking: false) == .fine)
        #expect(watch.check(now: Self.start + .seconds(61), isWorking: false) == .expired)
    }

    @Test("a word from the peer begins its time anew")
    func heard() {
        var watch = IdleWatch(timeout: .seconds(60), now: Self.start)
        watch.heard(now: Self.start + .seconds(50))
        #expect(watch.check(now: Self.start + .seconds(100), isWorking: false) == .fine)
        #expect(watch.check(now: Self.start + .seconds(111), isWorking: false) == .expired)
    }

    @Test("while this side works the peer's silence is right, and its time begins when the work ends")
    func working() {
        var watch = IdleWatch(timeout: .seconds(5), now: Self.start)
        #expect(watch.check(now: Self.start + .seconds(8), isWorking: true) == .sayAlive)
        #expect(watch.check(now: Self.start + .seconds(12), isWorking: false) == .fine)
        #expect(watch.check(now: Self.start + .seconds(14), isWorking: false) == .expired)
    }

    @Test("a side that works for long says every second that it is alive")
    func alive() {
        var watch = IdleWatch(timeout: .seconds(60), now: Self.start)
        #expect(watch.check(now: Self.start + .milliseconds(900), isWorking: true) == .fine)
        #expect(watch.check(now: Self.start + .milliseconds(1100), isWorking: true) == .sayAlive)
        #expect(watch.check(now: Self.start + .milliseconds(1200), isWorking: true) == .fine)
        #expect(watch.check(now: Self.start + .milliseconds(2200), isWorking: true) == .sayAlive)
    }

    @Test("a side that takes in payload says every second that it is alive")
    func payload() {
        var watch = IdleWatch(timeout: .seconds(60), now: Self.start)
        let answers = [900, 1100, 1200, 2200].map { watch.tookPayload(now: Self.start + .milliseconds($0)) }
        #expect(answers == [false, true, false, true])
    }
}
