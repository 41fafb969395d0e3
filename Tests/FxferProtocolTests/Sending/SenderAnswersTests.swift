import FxferProtocol
import Testing

@Suite("Answers that a sender gets")
struct SenderAnswersTests {
    private static func sent(_ size: UInt64) throws -> SenderScript {
        var script = try SenderScript(accepted: size)
        _ = script.advance(sourceSize: size)
        return script
    }

    @Test("CONFIRM of each chunk's end is taken", arguments: [25, 30] as [UInt64])
    func confirm(size: UInt64) throws {
        var script = try Self.sent(size)
        for offset in [10, 20, size] {
            try script.confirm(1, offset)
            #expect(script.sender.confirmed(1) == offset)
        }
    }

    @Test("one CONFIRM may stand for several chunks", arguments: [20, 25] as [UInt64])
    func confirmSeveral(offset: UInt64) throws {
        var script = try Self.sent(25)
        try script.confirm(1, offset)
        #expect(script.sender.confirmed(1) == offset)
    }

    @Test("CONFIRM of anything else is refused", arguments: [0, 5, 10, 15, 26, 30, 1 << 63, .max] as [UInt64])
    func wrongConfirm(offset: UInt64) throws {
        var script = try Self.sent(25)
        try script.confirm(1, 10)
        let error = #expect(throws: FxferError.self) { try script.confirm(1, offset) }
        #expect(error?.code == .protocolViolation)
        #expect(script.sender.confirmed(1) == 10)
    }

    @Test("CONFIRM before ACCEPT is refused")
    func earlyConfirm() throws {
        var script = SenderScript()
        _ = try script.offer(size: 5)
        _ = script.advance(sourceSize: 5)
        let error = #expect(throws: FxferError.self) { try script.confirm(1, 5) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("a second ACCEPT is refused")
    func secondAccept() throws {
        var script = try Self.sent(30)
        let error = #expect(throws: FxferError.self) { try script.accept(1) }
        #expect(error?.code == .protocolViolation)
    }

    static let wrongReceipts: [(content: FilePrefix, path: String)] = [
        (.standIn(31), "a"), (.standIn(29), "a"), (.empty, "a"), (.standIn(.max), "a"),
        (FilePrefix(length: 30, digest: .ofNothing), "a"), (.standIn(30), "b"), (.standIn(30), ""),
        (.standIn(30), "a/a"),
    ]

    @Test("a receipt that does not name what was sent is a failure", arguments: Self.wrongReceipts)
    func wrongReceipt(content: FilePrefix, path: String) throws {
        var script = try Self.sent(30)
        let error = #expect(throws: FxferError.self) { try script.receipt(1, content, path) }
        #expect(error?.code == .damaged)
        #expect(script.next() != .done)
    }

    @Test("a receipt before FINISH is refused")
    func earlyReceipt() throws {
        var script = try SenderScript(accepted: 30)
        _ = script.read(at: 0, 10)
        let error = #expect(throws: FxferError.self) { try script.receipt(1, .standIn(10)) }
        #expect(error?.code == .protocolViolation)
        #expect(script.next() == .read(10, 10))
    }

    @Test("a receipt without ACCEPT is refused")
    func unacceptedReceipt() throws {
        var script = SenderScript()
        _ = try script.offer(size: 5)
        _ = script.advance(sourceSize: 5)
        let error = #expect(throws: FxferError.self) { try script.receipt(1, .standIn(5)) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("REFUSE is answered with CANCEL, whatever was sent", arguments: [5, 30] as [UInt64], [false, true])
    func refuse(size: UInt64, isAccepted: Bool) throws {
        var script = SenderScript()
        _ = try script.offer(size: size)
        if isAccepted { try script.accept(1) }
        _ = script.advance(sourceSize: size)
        try script.refuse(1, .noSpace)
        #expect(script.next() == .refused(.noSpace))
        #expect(script.cancel(1, .noSpace) == WireCode(.noSpace))
        #expect(script.cancel(1, .noSpace) == nil)
    }

    @Test("REFUSE while a read or the last check is under way makes that worthless")
    func refuseDuringRead() throws {
        var script = try SenderScript(accepted: 10)
        #expect(script.next() == .read(0, 10))
        try script.refuse(1, .noSpace)
        #expect(script.read(at: 0, 10) == nil)
        #expect(script.next() == .refused(.noSpace))

        script = try SenderScript(accepted: 0)
        #expect(script.next() == .finish)
        try script.refuse(1, .noSpace)
        #expect(script.sender.finish(1) == nil)
        #expect(script.next() == .refused(.noSpace))
    }

    enum Answer: CaseIterable {
        case accept, confirm, rewind, refuse, receipt
    }

    private static func send(_ answer: Answer, _ file: FileID, to script: inout SenderScript) throws(FxferError) {
        switch answer {
        case .accept: try script.accept(file)
        case .confirm: try script.confirm(file, 10)
        case .rewind: try script.rewind(file, to: 0)
        case .refuse: try script.refuse(file, .noSpace)
        case .receipt: try script.receipt(file, .standIn(30))
        }
    }

    @Test("an answer about an unknown file is refused", arguments: Answer.allCases, [0, 2, .max] as [FileID])
    func unknownFile(answer: Answer, file: FileID) throws {
        var script = try Self.sent(30)
        let error = #expect(throws: FxferError.self) { try Self.send(answer, file, to: &script) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("an answer about a file that was refused or stored is refused", arguments: Answer.allCases, [false, true])
    func endedFile(answer: Answer, isStored: Bool) throws {
        var script = try Self.sent(30)
        if isStored { try script.receipt(1, .standIn(30)) } else { try script.refuse(1, .io) }
        let error = #expect(throws: FxferError.self) { try Self.send(answer, 1, to: &script) }
        #expect(error?.code == .protocolViolation)
        #expect(script.next() == (isStored ? .done : .refused(.io)))
    }

    @Test(
        "answers that cross CANCEL on their way are ignored",
        arguments: [.accept, .confirm, .rewind, .refuse] as [Answer]
    )
    func crossing(answer: Answer) throws {
        var script = SenderScript()
        _ = try script.offer(size: 30)
        if answer != .accept { try script.accept(1) }
        _ = script.read(at: 0, 10)
        #expect(script.cancel(1) == WireCode(.sourceChanged))
        try Self.send(answer, 1, to: &script)
        #expect(script.sender.confirmed(1) == 0)
        #expect(script.sender.canOffer)
    }

    @Test("a receipt for a file that was given up is refused")
    func receiptForCancelled() throws {
        var script = try SenderScript(accepted: 30)
        _ = script.cancel(1)
        let error = #expect(throws: FxferError.self) { try script.receipt(1, .empty) }
        #expect(error?.code == .protocolViolation)
    }
}
