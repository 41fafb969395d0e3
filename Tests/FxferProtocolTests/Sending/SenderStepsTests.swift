import FxferProtocol
import Testing

@Suite("The steps of a sender")
struct SenderStepsTests {
    @Test("a file of at most one chunk goes out without an answer", arguments: [0, 1, 9, 10] as [UInt64])
    func early(size: UInt64) throws {
        var script = SenderScript()
        let offer = try script.offer("d/a", size: size)
        #expect(offer == Offer(file: 1, path: Array("d/a".utf8), attributes: FileAttributes(size: size)))
        #expect(script.advance(sourceSize: size) == .sending(size: size))
        #expect(script.next() == .awaitReceipt)
    }

    @Test("a larger file, and one of unknown size, wait for ACCEPT", arguments: [11, 30, 1 << 60, nil] as [UInt64?])
    func waiting(size: UInt64?) throws {
        var script = SenderScript()
        _ = try script.offer(size: size)
        #expect(script.next() == .wait)
        try script.accept(1)
        #expect(script.next() == .read(0, 10))
    }

    @Test("all of a file is read, in whole chunks but for the last", arguments: [11, 15, 19, 20, 21, 30] as [UInt64])
    func wholeFile(size: UInt64) throws {
        var script = try SenderScript(accepted: size)
        #expect(script.advance(sourceSize: size) == .sending(size: size))
    }

    @Test("of the last chunk only the rest is read")
    func lastRead() throws {
        var script = try SenderScript(accepted: 15)
        #expect(script.next() == .read(0, 10))
        #expect(script.read(at: 0, 10) == Chunk(file: 1, offset: 0, length: 10))
        #expect(script.next() == .read(10, 5))
        #expect(script.read(at: 10, 5) == Chunk(file: 1, offset: 10, length: 5))
        #expect(script.next() == .finish)
        #expect(script.sender.finish(1) == Finish(file: 1, content: .standIn(15)))
        #expect(script.next() == .awaitReceipt)
        #expect(script.sender.finish(1) == nil)
    }

    @Test("a file of unknown size ends where nothing is left to read", arguments: [0, 1, 10, 25] as [UInt64])
    func unknownSize(size: UInt64) throws {
        var script = try SenderScript(accepted: nil)
        #expect(script.advance(sourceSize: size) == .sending(size: size))
    }

    @Test("a receipt for what was sent ends the file", arguments: [0, 1, 30] as [UInt64])
    func receipt(size: UInt64) throws {
        var script = try SenderScript(accepted: size)
        _ = script.advance(sourceSize: size)
        try script.receipt(1, .standIn(size))
        #expect(script.next() == .done)
        #expect(script.sender.confirmed(1) == size)
        #expect(script.cancel(1) == nil)
        #expect(script.sender.canOffer)
    }

    @Test("no more than 64 chunks go out unconfirmed")
    func window() throws {
        var script = try SenderScript(accepted: 1000)
        #expect(script.advance(sourceSize: 1000).count == 64)
        #expect(script.next() == .wait)
        try script.confirm(1, 10)
        #expect(script.sender.confirmed(1) == 10)
        #expect(script.advance(sourceSize: 1000) == [.chunk(Chunk(file: 1, offset: 640, length: 10))])
        #expect(script.next() == .wait)
        try script.confirm(1, 650)
        #expect(script.advance(sourceSize: 1000).last == .finish(Finish(file: 1, content: .standIn(1000))))
    }

    @Test("no more files are offered than the receiver takes; one that ended makes room")
    func filesInFlight() throws {
        var script = SenderScript(filesInFlight: 2)
        #expect(script.sender.canOffer)
        #expect(try script.offer(size: 0).file == 1)
        #expect(try script.offer(size: 30).file == 2)
        #expect(!script.sender.canOffer)
        #expect(script.cancel(2) == WireCode(.sourceChanged))
        #expect(script.sender.canOffer)
        #expect(try script.offer(size: 30).file == 3)
        try script.accept(1)
        _ = script.advance(1, sourceSize: 0)
        try script.receipt(1, .empty)
        #expect(!script.sender.canOffer)
        script.sender.close(1)
        #expect(script.sender.canOffer)
    }
}
