import FxferProtocol
import Testing

@Suite("Offers")
struct ReceiverOfferTests {
    @Test("file numbers may have gaps, up to the largest")
    func gaps() throws {
        var script = ReceiverScript()
        for file in [1, 5, 6, .max] as [FileID] {
            #expect(try script.offer(file) == .stage)
        }
    }

    @Test("a number that does not grow breaks the protocol", arguments: [0, 1, 4, 5] as [FileID])
    func numbers(file: FileID) throws {
        var script = ReceiverScript()
        _ = try script.offer(5)
        _ = script.staged(5)
        _ = try script.cancel(5)
        let error = #expect(throws: FxferError.self) { try script.offer(file) }
        #expect(error?.code == .protocolViolation)
        #expect(script.receiver.isIdle)
    }

    @Test("number 0 is no file's")
    func zero() {
        var script = ReceiverScript()
        let error = #expect(throws: FxferError.self) { try script.offer(0) }
        #expect(error?.code == .protocolViolation)
    }

    @Test(
        "more open files than agreed are over the limit, in whatever state they are",
        arguments: [.staging, .receiving, .rewinding, .matching, .committing, .refused] as [ReceiverScript.FileState]
    )
    func tooMany(state: ReceiverScript.FileState) throws {
        var script = try ReceiverScript(fileIn: state)
        for file in [2, 3, 4] as [FileID] {
            #expect(try script.offer(file) == .stage)
        }
        let error = #expect(throws: FxferError.self) { try script.offer(5) }
        #expect(error?.code == .limitExceeded)
        #expect(script.commits.isEmpty)
    }

    @Test("a place is free again after RECEIPT, CANCEL, and CANCEL behind REFUSE")
    func freePlaces() throws {
        var script = ReceiverScript(filesInFlight: 1)
        _ = try script.offer(1, size: 0)
        _ = script.staged(1)
        _ = try script.finish(1, .empty)
        _ = script.committed(1)
        #expect(try script.offer(2) == .stage)
        _ = script.staged(2)
        #expect(try script.cancel(2) == .discard)
        #expect(try script.offer(3, "../x") == .refuse(3, .nameRefused))
        #expect(try script.cancel(3) == .forget)
        #expect(try script.offer(4) == .stage)
    }

    @Test(
        "a bad name is refused, and the connection goes on",
        arguments: ["", ".", "../x", "/etc/x", "a//b", "a\nb", ".fxfer/x", "a/\u{301}/.."]
    )
    func badName(path: String) throws {
        var script = ReceiverScript()
        #expect(try script.offer(1, path) == .refuse(1, .nameRefused))
        #expect(try script.chunk(1, at: 0) == .discard)
        #expect(try script.finish(1, .standIn(10)) == .discard)
        #expect(script.commits.isEmpty)
        #expect(try script.cancel(1) == .forget)
        #expect(try script.offer(2, "good") == .stage)
    }

    @Test("offers are refused on demand, and what is open goes on")
    func refuseOffers() throws {
        var script = try ReceiverScript(fileIn: .receiving)
        script.receiver.refuseOffers(FxferError(.shuttingDown, "going down"))
        #expect(try script.offer(2) == .refuse(2, .shuttingDown))
        #expect(try script.offer(3, "../x") == .refuse(3, .shuttingDown))
        #expect(try script.chunk(1, at: 10) == .confirm(1, 20))
        #expect(try script.chunk(1, at: 20) == .confirm(1, 30))
        #expect(try script.finish(1, .standIn(30)) == .commit(.standIn(30)))
        _ = script.committed(1)
        #expect(!script.receiver.isIdle)
        _ = try script.cancel(2)
        _ = try script.cancel(3)
        #expect(script.receiver.isIdle)
    }
}
