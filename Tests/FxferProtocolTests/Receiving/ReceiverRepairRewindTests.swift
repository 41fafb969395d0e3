import FxferProtocol
import Testing

@Suite("Rewinding a repair, as the receiver does it")
struct ReceiverRepairRewindTests {
    private static let whole = FilePrefix.standIn(30)

    /// A receiver whose file 1 is being repaired, and verified up to 8: bytes 5 to 7 came.
    private static func repairing() throws -> ReceiverScript {
        var script = ReceiverScript()
        _ = try script.offer(1)
        try script.decay([5..<8, 20..<25])
        _ = try script.repair(1)
        #expect(try script.chunk(1, at: 5, length: 3) == .confirm(1, 8))
        return script
    }

    @Test("a damaged chunk behind a gap goes back to the last CONFIRM, before the gap: either may be wrong")
    func behindGap() throws {
        var script = try Self.repairing()
        #expect(try script.chunk(1, at: 20, length: 5, isDamaged: true) == .rewind(1, to: 8))
        #expect(try script.chunk(1, at: 25, length: 1) == .discard)
        #expect(try script.finish(1, Self.whole) == .discard)
        #expect(try script.chunk(1, at: 8) == .confirm(1, 18))
        #expect(try script.chunk(1, at: 18, length: 7) == .confirm(1, 25))
        #expect(try script.finish(1, Self.whole) == .fill(upTo: 30))
        #expect(script.filled(1, Self.whole) == .commit(Self.whole))
    }

    @Test("where there was no CONFIRM, that is 0")
    func first() throws {
        var script = ReceiverScript()
        _ = try script.offer(1)
        try script.decay()
        _ = try script.repair(1)
        #expect(try script.chunk(1, at: 5, isDamaged: true) == .rewind(1, to: 0))
        #expect(try script.chunk(1, at: 5) == .discard)
        #expect(try script.chunk(1, at: 0) == .confirm(1, 10))
    }

    @Test("behind the place that was asked for there may be gaps again")
    func gapsAgain() throws {
        var script = try Self.repairing()
        _ = try script.chunk(1, at: 8, length: 2, isDamaged: true)
        #expect(try script.chunk(1, at: 8, length: 2) == .confirm(1, 10))
        #expect(try script.announce(1, at: 20, length: 5) == .fill(upTo: 20))
    }

    @Test("a sender that makes the receiver copy again and again is refused, also where it sends a byte in between")
    func copying() throws {
        let whole = FilePrefix.standIn(300)
        let other = FilePrefix(length: 300, digest: .standIn(at: 1))
        var script = ReceiverScript()
        _ = try script.offer(1, size: 300)
        _ = script.existing(1, other, decay: Decay(digest: whole.digest, ranges: [5..<15]))
        _ = try script.repair(1)
        var answers: [ReceiverScript.Answer] = []
        for place in 0..<100 as Range<UInt64> {
            answers.append(try script.finish(1, whole))
            guard answers.last == .fill(upTo: 300) else { break }
            #expect(script.filled(1, other) == .rewind(1, to: place))
            #expect(try script.chunk(1, at: place, length: 1) == .confirm(1, place + 1))
        }
        // Nine times the file's size is the limit.
        #expect(answers.count == 10)
        #expect(answers.last == .refuse(1, .damaged))
        #expect(script.commits.isEmpty)
    }

    @Test("a chunk before the place that was asked for breaks the protocol")
    func before() throws {
        var script = try Self.repairing()
        _ = try script.chunk(1, at: 20, isDamaged: true)
        let error = #expect(throws: FxferError.self) { try script.announce(1, at: 7, length: 1) }
        #expect(error?.code == .protocolViolation)
        #expect(script.commits.isEmpty)
    }

    @Test("where the rest of what is there is wrong, FINISH goes back to the last CONFIRM")
    func atFinish() throws {
        var script = try Self.repairing()
        #expect(try script.finish(1, Self.whole) == .fill(upTo: 30))
        #expect(script.filled(1, .decayed) == .rewind(1, to: 8))
        #expect(script.commits.isEmpty)
        #expect(try script.finish(1, Self.whole) == .discard)
        #expect(try script.chunk(1, at: 8) == .confirm(1, 18))
        #expect(try script.chunk(1, at: 18) == .confirm(1, 28))
        #expect(try script.chunk(1, at: 28, length: 2) == .confirm(1, 30))
        #expect(try script.finish(1, Self.whole) == .commit(Self.whole))
    }

    @Test("what was filled to another length is wrong, too")
    func fewerFilled() throws {
        var script = try Self.repairing()
        _ = try script.finish(1, Self.whole)
        #expect(script.filled(1, FilePrefix(length: 29, digest: .standIn(at: 30))) == .rewind(1, to: 8))
        #expect(script.commits.isEmpty)
    }

    @Test("a place that is wrong eight times may still be repaired, and the ninth time the file is refused")
    func limit() throws {
        for isLast in [false, true] {
            var script = try Self.repairing()
            #expect(try script.chunk(1, at: 20, isDamaged: true) == .rewind(1, to: 8))
            for _ in 0..<7 { #expect(try script.chunk(1, at: 8, isDamaged: true) == .rewind(1, to: 8)) }
            guard isLast else {
                #expect(try script.chunk(1, at: 8) == .confirm(1, 18))
                continue
            }
            #expect(try script.chunk(1, at: 8, isDamaged: true) == .refuse(1, .damaged))
            #expect(try script.chunk(1, at: 8) == .discard)
            #expect(try script.finish(1, Self.whole) == .discard)
            #expect(try script.cancel(1) == .forget)
            #expect(script.receiver.isIdle)
            #expect(script.commits.isEmpty)
        }
    }

    @Test("what is found wrong at the end does not count as long as the sender brings the file on")
    func eachTimeFurther() throws {
        var script = try Self.repairing()
        for place in 8..<30 as Range<UInt64> {
            #expect(try script.finish(1, Self.whole) == .fill(upTo: 30))
            #expect(script.filled(1, .decayed) == .rewind(1, to: place))
            #expect(try script.chunk(1, at: place, length: 1) == .confirm(1, place + 1))
        }
        #expect(try script.finish(1, Self.whole) == .commit(Self.whole))
    }
}
