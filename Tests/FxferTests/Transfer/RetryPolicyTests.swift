import FxferProtocol
import Testing

@testable import Fxfer

@Suite("Trying again")
struct RetryPolicyTests {
    @Test(
        "pauses double up to half a minute",
        arguments: zip(1...9, [1, 2, 4, 8, 16, 30, 30, 30, 30])
    )
    func pauses(attempt: Int, seconds: Int) {
        let policy = RetryPolicy(retries: 9, time: .seconds(1000))
        #expect(policy.pause(before: attempt, elapsed: .zero) == .seconds(seconds))
    }

    @Test("there are no more tries than asked for", arguments: [0, 1, 5])
    func retries(retries: Int) {
        let policy = RetryPolicy(retries: retries, time: .seconds(1000))
        for attempt in 1..<retries + 1 {
            #expect(policy.pause(before: attempt, elapsed: .zero) != nil)
        }
        #expect(policy.pause(before: retries + 1, elapsed: .zero) == nil)
        #expect(policy.pause(before: .max, elapsed: .zero) == nil)
    }

    @Test(
        "a pause that would end behind the time is not made",
        arguments: [(0, true), (6, true), (6.001, false), (10, false), (1e9, false)] as [(Double, Bool)]
    )
    func time(elapsed: Double, isTried: Bool) {
        let policy = RetryPolicy(retries: 9, time: .seconds(10))
        #expect((policy.pause(before: 3, elapsed: .seconds(elapsed)) == .seconds(4)) == isTried)
    }

    @Test("only what may pass by itself is tried again", arguments: FxferError.Code.allCases)
    func temporary(code: FxferError.Code) {
        let expected: Set<FxferError.Code> = [.connectionLost, .timedOut, .shuttingDown, .busy, .cannotConnect]
        #expect(FxferError(code, "failed").isTemporary == expected.contains(code))
    }
}
