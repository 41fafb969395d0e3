import FxferProtocol
import Testing

@Suite("Rewinding a repair, as the sender does it")
struct SenderRepairRewindTests {
    typealias Repairs = SenderRepairTests

    /// A sender that has sent bytes 10 to 29 and 50 to 59 of 100, and FINISH; chunks end at 20, 30 and 60.
    private static func sent() throws -> SenderScript {
        var script = try Repairs.repairing([10..<30, 50..<60])
        let frames = script.advance(sourceSize: 100)
        #expect(frames == [Repairs.chunk(10), Repairs.chunk(20), Repairs.chunk(50), Repairs.finish()])
        return script
    }

    @Test("before the first range, what is there up to its end is sent, and then as before")
    func firstGap() throws {
        var script = try Self.sent()
        try script.rewind(1, to: 0)
        #expect(script.next() == .rewind(0))
        #expect(
            script.advance(sourceSize: 100) == [
                Repairs.chunk(0), Repairs.chunk(10), Repairs.chunk(20), Repairs.chunk(50), Repairs.finish(),
            ]
        )
        for end in [10, 20, 30, 60] as [UInt64] { try script.confirm(1, end) }
        try script.receipt(1, .standIn(100))
        #expect(script.sender.rewinds(1) == 1)
    }

    @Test("in a range, the rest of it is sent again")
    func inRange() throws {
        var script = try Self.sent()
        try script.confirm(1, 20)
        try script.rewind(1, to: 20)
        #expect(script.next() == .rewind(20))
        #expect(script.advance(sourceSize: 100) == [Repairs.chunk(20), Repairs.chunk(50), Repairs.finish()])
        try script.confirm(1, 30)
        try script.confirm(1, 60)
    }

    @Test("in a gap, it and the next range are sent, as one")
    func inGap() throws {
        var script = try Self.sent()
        try script.confirm(1, 20)
        try script.confirm(1, 30)
        try script.rewind(1, to: 30)
        #expect(script.next() == .rewind(30))
        #expect(script.next() == .read(30, 10))
        #expect(
            script.advance(sourceSize: 100) == [
                Repairs.chunk(30), Repairs.chunk(40), Repairs.chunk(50), Repairs.finish(),
            ]
        )
    }

    @Test("behind the last range, the rest of the file is sent")
    func atTheEnd() throws {
        var script = try Self.sent()
        for end in [20, 30, 60] as [UInt64] { try script.confirm(1, end) }
        try script.rewind(1, to: 60)
        #expect(script.next() == .rewind(60))
        let tail = [60, 70, 80, 90].map { Repairs.chunk($0) }
        #expect(script.advance(sourceSize: 100) == tail + [Repairs.finish()])
        for end in [70, 80, 90, 100] as [UInt64] { try script.confirm(1, end) }
        try script.receipt(1, .standIn(100))
        #expect(script.next() == .done)
    }

    @Test("a second REWIND asks for more of a gap than the first")
    func twice() throws {
        var script = try Self.sent()
        try script.rewind(1, to: 0)
        _ = script.advance(sourceSize: 100)
        for end in [10, 20, 30] as [UInt64] { try script.confirm(1, end) }
        try script.rewind(1, to: 30)
        let rest = [30, 40, 50].map { Repairs.chunk($0) }
        #expect(script.advance(sourceSize: 100) == rest + [Repairs.finish()])
        #expect(script.sender.rewinds(1) == 2)
    }

    @Test("REWIND while a part is skipped, read or checked makes that worthless")
    func meanwhile() throws {
        var script = try Repairs.repairing([10..<20, 50..<60])
        _ = script.next()
        script.sender.skipped(1, to: 10)
        _ = script.read(at: 10, 10)
        #expect(script.next() == .skip(50))
        try script.rewind(1, to: 0)
        script.sender.skipped(1, to: 50)
        #expect(script.next() == .rewind(0))
        #expect(script.next() == .read(0, 10))
        _ = script.read(at: 0, 10)
        #expect(script.next() == .read(10, 10))
        try script.rewind(1, to: 0)
        #expect(script.read(at: 10, 10) == nil)
        _ = script.next()
        _ = script.read(at: 0, 10)
        _ = script.read(at: 10, 10)
        script.sender.skipped(1, to: 50)
        _ = script.read(at: 50, 10)
        #expect(script.next() == .finish)
        try script.rewind(1, to: 0)
        #expect(script.sender.finish(1) == nil)
        #expect(
            script.advance(sourceSize: 100) == [
                Repairs.chunk(0), Repairs.chunk(10), Repairs.chunk(50), Repairs.finish(),
            ]
        )
    }

    @Test("after REWIND the old chunks' ends are not confirmed any more")
    func staleConfirm() throws {
        var script = try Self.sent()
        try script.confirm(1, 20)
        try script.rewind(1, to: 20)
        for offset in [20, 30, 60] as [UInt64] {
            let error = #expect(throws: FxferError.self) { try script.confirm(1, offset) }
            #expect(error?.code == .protocolViolation)
        }
        #expect(script.sender.confirmed(1) == 20)
    }

    @Test(
        "REWIND to another place than was confirmed last is refused",
        arguments: [0, 10, 15, 30, 60, 100, .max] as [UInt64]
    )
    func wrongPlace(offset: UInt64) throws {
        var script = try Self.sent()
        try script.confirm(1, 20)
        let error = #expect(throws: FxferError.self) { try script.rewind(1, to: offset) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("REWIND is refused where nothing was sent that is not confirmed", arguments: 0..<3)
    func nothingSent(step: Int) throws {
        var script = try Repairs.repairing([10..<20, 50..<60])
        if step > 0 {
            _ = script.next()
            script.sender.skipped(1, to: 10)
        }
        if step > 1 {
            _ = script.read(at: 10, 10)
            try script.confirm(1, 20)
            script.sender.skipped(1, to: 50)
        }
        let error = #expect(throws: FxferError.self) { try script.rewind(1, to: step > 1 ? 20 : 0) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("a file is given up when the same place is asked for a ninth time")
    func tooOften() throws {
        var script = try Self.sent()
        for _ in 0..<8 {
            try script.rewind(1, to: 0)
            #expect(script.next() == .rewind(0))
            _ = script.advance(sourceSize: 100)
        }
        try script.rewind(1, to: 0)
        #expect(script.next() == .refused(.damaged))
        #expect(script.cancel(1, .damaged) == WireCode(.damaged))
    }
}
