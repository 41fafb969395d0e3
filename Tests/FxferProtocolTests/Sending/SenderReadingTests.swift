import FxferProtocol
import Testing

@Suite("Hashing while the receiver reads")
struct SenderReadingTests {
    private static func reading(_ length: UInt64) throws -> SenderScript {
        var script = SenderScript()
        _ = try script.offer(size: 30, .byDigest)
        try script.reading(1, length)
        return script
    }

    @Test("what the receiver reads is hashed meanwhile, whichever is done first", arguments: [false, true])
    func meanwhile(isAcceptedFirst: Bool) throws {
        var script = try Self.reading(20)
        #expect(script.next() == .hashPrefix(20))
        if isAcceptedFirst { try script.accept(1, .standIn(20)) }
        script.hashed(20)
        if !isAcceptedFirst {
            #expect(script.next() == .wait)
            try script.accept(1, .standIn(20))
        }
        #expect(script.sender.confirmed(1) == 20)
        #expect(script.advance(sourceSize: 30) == .sending(from: 20, size: 30))
    }

    @Test("where the receiver has other content after all, the file starts again", arguments: [false, true])
    func different(isAcceptedFirst: Bool) throws {
        var script = try Self.reading(20)
        if isAcceptedFirst { try script.accept(1, .standIn(20)) }
        script.hashed(20, .ofNothing)
        if !isAcceptedFirst { try script.accept(1, .standIn(20)) }
        #expect(script.next() == .restart)
        #expect(script.advance(sourceSize: 30) == .sending(size: 30))
    }

    @Test("where it accepts another place, that one is hashed", arguments: [5, 30] as [UInt64])
    func otherPlace(offset: UInt64) throws {
        var script = try Self.reading(20)
        script.hashed(20)
        try script.accept(1, .standIn(offset))
        #expect(script.next() == .hashPrefix(offset))
        script.hashed(offset)
        #expect(script.sender.confirmed(1) == offset)
        #expect(script.advance(sourceSize: 30) == .sending(from: offset, size: 30))
    }

    @Test("where it accepts from the beginning, the source goes back there")
    func fromTheBeginning() throws {
        var script = try Self.reading(20)
        script.hashed(20)
        try script.accept(1)
        #expect(script.next() == .restart)
        #expect(script.advance(sourceSize: 30) == .sending(size: 30))
    }

    @Test("more than the file has is refused", arguments: [31, .max] as [UInt64])
    func tooMuch(length: UInt64) throws {
        var script = SenderScript()
        _ = try script.offer(size: 30, .byDigest)
        let error = #expect(throws: FxferError.self) { try script.reading(1, length) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("of no bytes, a second one, and one behind ACCEPT change nothing")
    func noEffect() throws {
        var script = try Self.reading(0)
        #expect(script.next() == .wait)
        try script.reading(1, 10)
        try script.reading(1, 20)
        #expect(script.next() == .hashPrefix(10))
        script.hashed(10)
        try script.accept(1, .standIn(10))
        try script.reading(1, 30)
        #expect(script.advance(sourceSize: 30) == .sending(from: 10, size: 30))
    }

    @Test("of a file that is not open it is refused")
    func unknownFile() throws {
        var script = try Self.reading(20)
        let error = #expect(throws: FxferError.self) { try script.reading(2, 20) }
        #expect(error?.code == .protocolViolation)
    }
}
