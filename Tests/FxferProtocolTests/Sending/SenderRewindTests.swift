import FxferProtocol
import Testing

@Suite("Rewinding, as the sender does it")
struct SenderRewindTests {
    @Test("everything behind the place that was confirmed last is sent again", arguments: [0, 10, 20] as [UInt64])
    func sendAgain(offset: UInt64) throws {
        var script = try SenderScript(accepted: 30)
        _ = script.advance(sourceSize: 30)
        if offset > 0 { try script.confirm(1, offset) }
        try script.rewind(1, to: offset)
        #expect(script.next() == .rewind(offset))
        #expect(script.advance(sourceSize: 30) == .sending(from: offset, size: 30))
        #expect(script.sender.rewinds(1) == 1)
        try script.receipt(1, .standIn(30))
        #expect(script.next() == .done)
    }

    @Test("REWIND while a read is under way makes that read worthless")
    func duringRead() throws {
        var script = try SenderScript(accepted: 30)
        _ = script.read(at: 0, 10)
        #expect(script.next() == .read(10, 10))
        try script.rewind(1, to: 0)
        #expect(script.read(at: 10, 10) == nil)
        #expect(script.next() == .rewind(0))
        #expect(script.next() == .read(0, 10))
        #expect(script.read(at: 10, 10) == nil)
        #expect(script.advance(sourceSize: 30) == .sending(size: 30))
    }

    @Test("REWIND while the source is checked takes FINISH back")
    func duringFinish() throws {
        var script = try SenderScript(accepted: 20)
        _ = script.read(at: 0, 10)
        _ = script.read(at: 10, 10)
        #expect(script.next() == .finish)
        try script.rewind(1, to: 0)
        #expect(script.sender.finish(1) == nil)
        #expect(script.advance(sourceSize: 20) == .sending(size: 20))
    }

    @Test("REWIND while the end of a stream is looked for takes that back, too")
    func duringLastRead() throws {
        var script = try SenderScript(accepted: nil)
        _ = script.read(at: 0, 10)
        #expect(script.next() == .read(10, 10))
        try script.rewind(1, to: 0)
        #expect(script.read(at: 10, 0) == nil)
        #expect(script.advance(sourceSize: 10) == .sending(size: 10))
    }

    @Test("a file that went out early is sent again, too")
    func early() throws {
        var script = SenderScript()
        _ = try script.offer(size: 5)
        _ = script.advance(sourceSize: 5)
        try script.accept(1)
        try script.rewind(1, to: 0)
        #expect(script.advance(sourceSize: 5) == .sending(size: 5))
    }

    @Test("REWIND to another place than was confirmed last is refused", arguments: [0, 5, 20, 30, .max] as [UInt64])
    func wrongPlace(offset: UInt64) throws {
        var script = try SenderScript(accepted: 30)
        _ = script.advance(sourceSize: 30)
        try script.confirm(1, 10)
        let error = #expect(throws: FxferError.self) { try script.rewind(1, to: offset) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("REWIND is refused where nothing was sent behind that place", arguments: [0, 10] as [UInt64])
    func nothingSent(sent: UInt64) throws {
        var script = try SenderScript(accepted: 30)
        if sent > 0 {
            _ = script.read(at: 0, sent)
            try script.confirm(1, sent)
        }
        let error = #expect(throws: FxferError.self) { try script.rewind(1, to: sent) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("REWIND before ACCEPT is refused", arguments: [5, 30] as [UInt64])
    func beforeAccept(size: UInt64) throws {
        var script = SenderScript()
        _ = try script.offer(size: size)
        _ = script.advance(sourceSize: size)
        let error = #expect(throws: FxferError.self) { try script.rewind(1, to: 0) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("a second REWIND before anything was sent again is refused")
    func twice() throws {
        var script = try SenderScript(accepted: 30)
        _ = script.advance(sourceSize: 30)
        try script.rewind(1, to: 0)
        let error = #expect(throws: FxferError.self) { try script.rewind(1, to: 0) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("a file is given up when the same place is asked for a ninth time, and the connection goes on")
    func tooOften() throws {
        var script = try SenderScript(accepted: 30)
        for _ in 0..<8 {
            _ = script.advance(sourceSize: 30)
            try script.rewind(1, to: 0)
        }
        _ = script.advance(sourceSize: 30)
        try script.rewind(1, to: 0)
        guard case .refused(let error) = script.sender.nextStep(of: 1) else {
            Issue.record("the file is still open")
            return
        }
        #expect(error.code == .damaged)
        guard case .cancel(let failure) = script.sender.cancel(1, error) else {
            Issue.record("the receiver is not told")
            return
        }
        #expect(failure.code == WireCode(.damaged))
        // The receiver may have sent more before it knew.
        try script.rewind(1, to: 0)
    }

    @Test("each place is counted for itself")
    func countedByPlace() throws {
        var script = try SenderScript(accepted: 30)
        for offset in [0, 10] as [UInt64] {
            for _ in 0..<8 {
                _ = script.advance(sourceSize: 30)
                try script.rewind(1, to: offset)
            }
            _ = script.advance(sourceSize: 30)
            try script.confirm(1, offset + 10)
        }
        #expect(script.sender.rewinds(1) == 16)
        #expect(script.sender.confirmed(1) == 20)
    }
}
