import FxferProtocol
import Testing

/// The source is what the receiver's file was stored as; chunks have 10 bytes.
@Suite("Repairing, as the sender does it")
struct SenderRepairTests {
    static func decay(_ ranges: [Range<UInt64>], of size: UInt64) throws -> Decay {
        try #require(Decay(digest: .standIn(at: size), ranges: ranges))
    }

    /// What the receiver has.
    static func damaged(_ size: UInt64) -> FilePrefix {
        FilePrefix(length: size, digest: .standIn(at: 1 << 40))
    }

    /// A sender that is to repair file 1, and was not yet asked for the first step.
    static func repairing(_ ranges: [Range<UInt64>], of size: UInt64 = 100) throws -> SenderScript {
        var script = SenderScript()
        _ = try script.offer(size: size, .byDigest)
        try script.accept(1, Self.damaged(size), Self.decay(ranges, of: size))
        #expect(script.next() == .hashPrefix(size))
        script.hashed(size)
        return script
    }

    static func chunk(_ offset: UInt64, _ length: UInt32 = 10) -> Frame {
        .chunk(Chunk(file: 1, offset: offset, length: length))
    }

    static func finish(_ size: UInt64 = 100) -> Frame {
        .finish(Finish(file: 1, content: .standIn(size)))
    }

    @Test("only what is damaged is sent, between REPAIR and FINISH")
    func ranges() throws {
        var script = try Self.repairing([15..<30, 50..<51, 90..<100])
        guard case .repair(let repair) = script.sender.nextStep(of: 1) else {
            Issue.record("no REPAIR")
            return
        }
        #expect(repair == Repair(file: 1))
        #expect(script.next() == .skip(15))
        script.sender.skipped(1, to: 15)
        #expect(script.next() == .read(15, 10))
        #expect(script.read(at: 15, 10) == Chunk(file: 1, offset: 15, length: 10))
        #expect(script.next() == .read(25, 5))
        #expect(script.read(at: 25, 5) == Chunk(file: 1, offset: 25, length: 5))
        #expect(script.next() == .skip(50))
        script.sender.skipped(1, to: 50)
        #expect(script.advance(sourceSize: 100) == [Self.chunk(50, 1), Self.chunk(90), Self.finish()])
        #expect(script.next() == .awaitReceipt)
        for end in [25, 30, 51, 100] as [UInt64] {
            try script.confirm(1, end)
            #expect(script.sender.confirmed(1) == end)
        }
        try script.receipt(1, .standIn(100))
        #expect(script.next() == .done)
        #expect(script.sender.rewinds(1) == 0)
    }

    @Test("damage at the beginning needs no skip, and what is behind the last range none either")
    func beginning() throws {
        var script = try Self.repairing([0..<5])
        #expect(script.next() == .repair)
        #expect(script.next() == .read(0, 5))
        #expect(script.read(at: 0, 5) == Chunk(file: 1, offset: 0, length: 5))
        #expect(script.next() == .finish)
        #expect(script.sender.finish(1) == Finish(file: 1, content: .standIn(100)))
        #expect(script.next() == .awaitReceipt)
    }

    @Test("the whole file is sent where all of it is damaged", arguments: [1, 10, 25] as [UInt64])
    func whole(size: UInt64) throws {
        var script = try Self.repairing([0..<size], of: size)
        #expect(script.next() == .repair)
        #expect(script.advance(sourceSize: size) == .sending(size: size))
    }

    @Test("a receipt is compared with the whole file, not with the last chunk", arguments: [5, 15] as [UInt64])
    func receipt(length: UInt64) throws {
        var script = try Self.repairing([5..<15])
        _ = script.advance(sourceSize: 100)
        let error = #expect(throws: FxferError.self) { try script.receipt(1, .standIn(length)) }
        #expect(error?.code == .damaged)
        try script.receipt(1, .standIn(100))
        #expect(script.next() == .done)
    }

    @Test("a receipt before FINISH is refused, also where all chunks are confirmed")
    func earlyReceipt() throws {
        var script = try Self.repairing([5..<15])
        _ = script.next()
        script.sender.skipped(1, to: 5)
        _ = script.read(at: 5, 10)
        try script.confirm(1, 15)
        let error = #expect(throws: FxferError.self) { try script.receipt(1, .standIn(100)) }
        #expect(error?.code == .protocolViolation)
        #expect(script.next() == .finish)
    }

    @Test("a source that is what the receiver has now is finished at once")
    func sameDamage() throws {
        var script = SenderScript()
        _ = try script.offer(size: 100, .byDigest)
        try script.accept(1, Self.damaged(100), Self.decay([5..<15], of: 100))
        script.hashed(100, Self.damaged(100).digest)
        #expect(script.advance(sourceSize: 100) == [.finish(Finish(file: 1, content: Self.damaged(100)))])
    }

    @Test("a source with other content than either starts at 0")
    func otherContent() throws {
        var script = SenderScript()
        _ = try script.offer(size: 30, .byDigest)
        try script.accept(1, Self.damaged(30), Self.decay([5..<15], of: 30))
        script.hashed(30, .ofNothing)
        #expect(script.next() == .restart)
        #expect(script.advance(sourceSize: 30) == .sending(size: 30))
    }

    @Test("what was hashed while the receiver read counts", arguments: [30, 20] as [UInt64])
    func readingAlong(announced: UInt64) throws {
        var script = SenderScript()
        _ = try script.offer(size: 30, .byDigest)
        try script.reading(1, announced)
        #expect(script.next() == .hashPrefix(announced))
        script.hashed(announced)
        try script.accept(1, Self.damaged(30), Self.decay([5..<15], of: 30))
        if announced != 30 {
            #expect(script.next() == .hashPrefix(30))
            script.hashed(30)
        }
        #expect(script.next() == .repair)
    }

    static let impossibleAnswers: [(prefix: FilePrefix, ranges: [Range<UInt64>], size: UInt64?)] = [
        (damaged(100), [95..<101], 100),
        (damaged(100), [0..<1, 100..<101], 100),
        (damaged(100), [0..<UInt64.max], 100),
        (damaged(100), [UInt64.max - 1..<UInt64.max], 100),
        (damaged(99), [0..<1], 100),
        (.standIn(10), [0..<1], 100),
        (.empty, [0..<1], 100),
        (.empty, [0..<1], 0),
        (.empty, [0..<1], nil),
        (damaged(10), [0..<1], nil),
        (damaged(101), [0..<1], 100),
    ]

    @Test(
        "damage beyond the size, and of what is no whole file of that size, is refused",
        arguments: Self.impossibleAnswers
    )
    func impossible(prefix: FilePrefix, ranges: [Range<UInt64>], size: UInt64?) throws {
        var script = SenderScript()
        _ = try script.offer(size: size, .byDigest)
        let decay = try Self.decay(ranges, of: 100)
        let error = #expect(throws: FxferError.self) { try script.accept(1, prefix, decay) }
        #expect(error?.code == .protocolViolation)
        #expect(script.next() == .wait)
    }

    @Test("damage to a file whose sender did not wait is refused")
    func unasked() throws {
        var script = SenderScript()
        _ = try script.offer(size: 5)
        let decay = try Self.decay([0..<1], of: 5)
        let error = #expect(throws: FxferError.self) { try script.accept(1, Self.damaged(5), decay) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("no more than 64 chunks are under way, however short they are", arguments: [1, 7] as [UInt64])
    func window(length: UInt64) throws {
        var script = try Self.repairing((0..<100).map { $0 * 20..<$0 * 20 + length }, of: 2000)
        #expect(script.advance(sourceSize: 2000).count == 64)
        #expect(script.next() == .wait)
        try script.confirm(1, length)
        #expect(script.next() == .skip(64 * 20))
        #expect(script.advance(sourceSize: 2000).count == 1)
        for index in 1..<11 as Range<UInt64> { try script.confirm(1, index * 20 + length) }
        #expect(script.advance(sourceSize: 2000).count == 10)
        #expect(script.next() == .wait)
    }

    @Test("CONFIRM is of the next chunk's end, and of nothing else")
    func wrongConfirm() throws {
        // Chunks end at 15, 25, 30 and 60.
        for (done, wrong) in [
            (0, [0, 5, 10, 14, 16, 25, 30, 60, 100, .max]), (1, [0, 10, 15, 20, 30, 60, 100]),
            (3, [15, 25, 30, 40, 50, 55, 70, 100]), (4, [60, 70, 100, .max]),
        ] as [(Int, [UInt64])] {
            for offset in wrong {
                var script = try Self.repairing([5..<30, 50..<60])
                _ = script.advance(sourceSize: 100)
                for end in ([15, 25, 30, 60] as [UInt64]).prefix(done) { try script.confirm(1, end) }
                let confirmed = script.sender.confirmed(1)
                let error = #expect(throws: FxferError.self, "\(offset) after \(done)") {
                    try script.confirm(1, offset)
                }
                #expect(error?.code == .protocolViolation)
                #expect(script.sender.confirmed(1) == confirmed)
            }
        }
    }

    @Test(
        "CONFIRM before anything was sent, or of what was only skipped, is refused",
        arguments: [5, 10, 100] as [UInt64]
    )
    func nothingSent(offset: UInt64) throws {
        var script = try Self.repairing([10..<30])
        _ = script.next()
        script.sender.skipped(1, to: 10)
        let error = #expect(throws: FxferError.self) { try script.confirm(1, offset) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("REFUSE and giving up end a repair", arguments: [false, true], 0..<3)
    func ended(isRefused: Bool, step: Int) throws {
        var script = try Self.repairing([10..<30])
        if step > 0 { #expect(script.next() == .repair) }
        if step > 1 { _ = script.advance(sourceSize: 100) }
        guard isRefused else {
            #expect(script.cancel(1) == WireCode(.sourceChanged))
            #expect(script.sender.isIdle)
            return
        }
        try script.refuse(1, .io)
        script.sender.skipped(1, to: 10)
        #expect(script.read(at: 10, 10) == nil)
        #expect(script.sender.finish(1) == nil)
        #expect(script.next() == .refused(.io))
    }
}
