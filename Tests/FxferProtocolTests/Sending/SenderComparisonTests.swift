import FxferProtocol
import Testing

@Suite("Asking before sending, as the sender does it")
struct SenderComparisonTests {
    @Test(
        "a small file waits for the answer where its sender asks",
        arguments: [0, 1, 10] as [UInt64],
        [Comparison.byDigest, .bySizeAndTime]
    )
    func waits(size: UInt64, comparison: Comparison) throws {
        var script = SenderScript()
        #expect(try script.offer(size: size, comparison).comparison == comparison)
        #expect(script.next() == .wait)
        try script.accept(1)
        #expect(script.advance(sourceSize: size) == .sending(size: size))
        #expect(script.next() == .awaitReceipt)
    }

    @Test("a small file that the receiver has is finished without data")
    func existing() throws {
        var script = SenderScript()
        _ = try script.offer(size: 5, .byDigest)
        try script.accept(1, .standIn(5))
        #expect(script.next() == .hashPrefix(5))
        script.hashed(5)
        #expect(script.advance(sourceSize: 5) == [.finish(Finish(file: 1, content: .standIn(5)))])
    }

    @Test("SAME closes a file whose size and time were asked about")
    func same() throws {
        var script = SenderScript(filesInFlight: 1)
        _ = try script.offer(size: 5, .bySizeAndTime)
        try script.same(1)
        #expect(script.next() == .same)
        #expect(script.cancel(1) == nil)
        #expect(script.sender.canOffer)
        #expect(try script.offer(size: 5).file == 2)
    }

    @Test("SAME that was not asked for is refused", arguments: [Comparison.afterwards, .byDigest])
    func unasked(comparison: Comparison) throws {
        var script = SenderScript()
        _ = try script.offer(size: 30, comparison)
        let error = #expect(throws: FxferError.self) { try script.same(1) }
        #expect(error?.code == .protocolViolation)
        #expect(script.next() == .wait)
    }

    @Test("SAME is the first answer, or none", arguments: [FilePrefix.empty, .standIn(10)])
    func lateSame(prefix: FilePrefix) throws {
        var script = SenderScript()
        _ = try script.offer(size: 30, .bySizeAndTime)
        try script.accept(1, prefix)
        let error = #expect(throws: FxferError.self) { try script.same(1) }
        #expect(error?.code == .protocolViolation)
    }

    enum Answer: CaseIterable {
        case accept, refuse, same
    }

    @Test("after SAME there is no other answer", arguments: Answer.allCases)
    func nothingBehindSame(answer: Answer) throws {
        var script = SenderScript()
        _ = try script.offer(size: 30, .bySizeAndTime)
        try script.same(1)
        let error = #expect(throws: FxferError.self) {
            switch answer {
            case .accept: try script.accept(1)
            case .refuse: try script.refuse(1, .io)
            case .same: try script.same(1)
            }
        }
        #expect(error?.code == .protocolViolation)
        #expect(script.next() == .same)
    }

    @Test("SAME that crosses CANCEL on its way is ignored")
    func crossing() throws {
        var script = SenderScript()
        _ = try script.offer(size: 30, .bySizeAndTime)
        #expect(script.cancel(1) == WireCode(.sourceChanged))
        try script.same(1)
        #expect(script.sender.canOffer)
    }

    @Test(
        "a receipt may name the file beside another of its name",
        arguments: ["a", "a.1", "a.12", "a.999", "a.007"]
    )
    func besides(path: String) throws {
        var script = try SenderScript(accepted: 10)
        _ = script.advance(sourceSize: 10)
        try script.receipt(1, .standIn(10), path)
        #expect(script.next() == .done)
    }

    @Test(
        "a receipt may name no other file",
        arguments: ["a.", "a.x", "a.1000", "a.1x", "a.-1", "a.1.1", "a1", "a/1", "a.1/", "b", "b.1", "other", "", ".1"]
    )
    func otherName(path: String) throws {
        var script = try SenderScript(accepted: 10)
        _ = script.advance(sourceSize: 10)
        let error = #expect(throws: FxferError.self) { try script.receipt(1, .standIn(10), path) }
        #expect(error?.code == .damaged)
        #expect(script.next() != .done)
    }

    @Test("files can be offered under numbers that the peer chose, as long as they grow")
    func numbers() throws {
        var script = SenderScript(filesInFlight: 2)
        let path = try RelativePath(bytes: [0x61])
        #expect(!script.sender.canOffer(as: 0))
        #expect(script.sender.offer(path, FileAttributes(size: 0), .byDigest, as: 7).file == 7)
        for file in [0, 6, 7] as [FileID] {
            #expect(!script.sender.canOffer(as: file))
        }
        #expect(script.sender.canOffer(as: 8))
        #expect(script.sender.offer(path, FileAttributes(size: 0), .byDigest, as: .max).file == .max)
        _ = script.cancel(7)
        #expect(!script.sender.canOffer)
        #expect(!script.sender.canOffer(as: .max))
    }

    @Test("no more than 16 chunks of a stream are under way, 64 of a file", arguments: [nil, 1000] as [UInt64?])
    func window(size: UInt64?) throws {
        var script = try SenderScript(accepted: size)
        let window: UInt64 = size == nil ? 16 : 64
        #expect(script.advance(sourceSize: 1000).count == window)
        #expect(script.next() == .wait)
        try script.confirm(1, 10)
        #expect(script.next() == .read(10 * window, 10))
        #expect(script.advance(sourceSize: 1000).count == 1)
        try script.confirm(1, 10 * (window + 1))
        #expect(script.advance(sourceSize: 1000).count == min(window, 100 - window - 1) + (size == nil ? 0 : 1))
    }
}
