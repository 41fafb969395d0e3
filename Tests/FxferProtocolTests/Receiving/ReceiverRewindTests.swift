import FxferProtocol
import Testing

@Suite("Rewinding, as the receiver does it")
struct ReceiverRewindTests {
    @Test("a chunk whose digest differs is asked for again")
    func damagedChunk() throws {
        var script = try ReceiverScript(fileIn: .receiving)
        #expect(try script.chunk(1, at: 10, isDamaged: true) == .rewind(1, to: 10))
        #expect(try script.chunk(1, at: 10) == .confirm(1, 20))
        #expect(try script.chunk(1, at: 20) == .confirm(1, 30))
        #expect(try script.finish(1, .standIn(30)) == .commit(.standIn(30)))
    }

    @Test("what was on its way behind a damaged chunk is discarded, FINISH too")
    func discarding() throws {
        var script = try ReceiverScript(fileIn: .rewinding)
        #expect(try script.announce(1, at: 20) == .proceed)
        #expect(script.payload() == .discard)
        #expect(script.payloadEnd() == .discard)
        #expect(try script.finish(1, .standIn(30)) == .discard)
        #expect(script.commits.isEmpty)
        #expect(try script.chunk(1, at: 10) == .confirm(1, 20))
        #expect(try script.chunk(1, at: 20) == .confirm(1, 30))
        #expect(try script.finish(1, .standIn(30)) == .commit(.standIn(30)))
    }

    @Test("the first chunk can be damaged, too")
    func firstChunk() throws {
        var script = ReceiverScript()
        _ = try script.offer(1)
        _ = script.staged(1)
        #expect(try script.chunk(1, at: 0, isDamaged: true) == .rewind(1, to: 0))
        #expect(try script.chunk(1, at: 10) == .discard)
        #expect(try script.chunk(1, at: 0) == .confirm(1, 10))
    }

    @Test("a chunk before the verified place breaks the protocol")
    func before() throws {
        var script = try ReceiverScript(fileIn: .rewinding)
        let error = #expect(throws: FxferError.self) { try script.chunk(1, at: 9) }
        #expect(error?.code == .protocolViolation)
        #expect(script.commits.isEmpty)
    }

    @Test("a place that arrives damaged eight times may still be repaired")
    func patience() throws {
        var script = try ReceiverScript(fileIn: .receiving)
        for _ in 0..<8 {
            #expect(try script.chunk(1, at: 10, isDamaged: true) == .rewind(1, to: 10))
        }
        #expect(try script.chunk(1, at: 10) == .confirm(1, 20))
    }

    @Test("the ninth time the file is given up")
    func limit() throws {
        var script = try ReceiverScript(fileIn: .receiving)
        for _ in 0..<8 {
            _ = try script.chunk(1, at: 10, isDamaged: true)
        }
        #expect(try script.chunk(1, at: 10, isDamaged: true) == .refuse(1, .damaged))
        #expect(try script.chunk(1, at: 10) == .discard)
        #expect(try script.finish(1, .standIn(30)) == .discard)
        #expect(try script.cancel(1) == .forget)
        #expect(script.commits.isEmpty)
        #expect(script.receiver.isIdle)
    }

    @Test("each place is counted for itself")
    func countedByPlace() throws {
        var script = try ReceiverScript(fileIn: .receiving)
        for offset in [10, 20] as [UInt64] {
            for _ in 0..<8 {
                #expect(try script.chunk(1, at: offset, isDamaged: true) == .rewind(1, to: offset))
            }
            #expect(try script.chunk(1, at: offset) == .confirm(1, offset + 10))
        }
        #expect(try script.finish(1, .standIn(30)) == .commit(.standIn(30)))
    }
}
