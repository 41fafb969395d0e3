import FxferProtocol
import Testing

@Suite("Resuming, as the sender does it")
struct SenderResumeTests {
    private static func resumed(at offset: UInt64, size: UInt64?) throws -> SenderScript {
        var script = SenderScript()
        _ = try script.offer(size: size)
        try script.accept(1, .standIn(offset))
        return script
    }

    @Test("an equal prefix is not sent again", arguments: [1, 5, 10, 20, 29] as [UInt64])
    func equal(offset: UInt64) throws {
        var script = try Self.resumed(at: offset, size: 30)
        #expect(script.next() == .hashPrefix(offset))
        script.hashed(offset)
        #expect(script.sender.confirmed(1) == offset)
        #expect(script.advance(sourceSize: 30) == .sending(from: offset, size: 30))
    }

    @Test("a different prefix makes the file start again", arguments: [1, 10, 29, 30] as [UInt64])
    func different(offset: UInt64) throws {
        var script = try Self.resumed(at: offset, size: 30)
        #expect(script.next() == .hashPrefix(offset))
        script.hashed(offset, .ofNothing)
        #expect(script.next() == .restart)
        #expect(script.sender.confirmed(1) == 0)
        #expect(script.advance(sourceSize: 30) == .sending(size: 30))
    }

    @Test("a file that is there with the same content needs no data")
    func complete() throws {
        var script = try Self.resumed(at: 30, size: 30)
        #expect(script.next() == .hashPrefix(30))
        script.hashed(30)
        #expect(script.next() == .finish)
        #expect(script.sender.finish(1) == Finish(file: 1, content: .standIn(30)))
        try script.receipt(1, .standIn(30))
        #expect(script.next() == .done)
    }

    @Test("a resumed file can be rewound to where it began")
    func rewind() throws {
        var script = try Self.resumed(at: 5, size: 30)
        script.hashed(5)
        _ = script.advance(sourceSize: 30)
        try script.rewind(1, to: 5)
        #expect(script.next() == .rewind(5))
        #expect(script.advance(sourceSize: 30) == .sending(from: 5, size: 30))
        try script.confirm(1, 15)
        #expect(script.sender.confirmed(1) == 15)
    }

    @Test("a hash that comes too late changes nothing")
    func lateHash() throws {
        var script = try Self.resumed(at: 10, size: 30)
        try script.refuse(1, .noSpace)
        script.hashed(10)
        #expect(script.next() == .refused(.noSpace))
    }

    static let impossiblePrefixes: [(prefix: FilePrefix, size: UInt64?)] = [
        (.standIn(31), 30),
        (.standIn(1 << 60), 30),
        (.standIn(.max), 30),
        (.standIn(20), nil),
        (.standIn(.max), nil),
        (FilePrefix(length: 0, digest: .standIn(at: 1)), 30),
        (.standIn(5), 10),
        (.standIn(10), 10),
        (.standIn(1), 0),
    ]

    @Test("a prefix that cannot be is refused", arguments: Self.impossiblePrefixes)
    func impossible(prefix: FilePrefix, size: UInt64?) throws {
        var script = SenderScript()
        _ = try script.offer(size: size)
        let error = #expect(throws: FxferError.self) { try script.accept(1, prefix) }
        #expect(error?.code == .protocolViolation)
    }
}
