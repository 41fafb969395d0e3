import FxferProtocol
import Testing

@Suite("Refused, cancelled and existing files")
struct ReceiverEndingTests {
    @Test(
        "a file that failed is refused, and everything for it discarded until CANCEL",
        arguments: [.staging, .receiving, .rewinding, .committing] as [ReceiverScript.FileState]
    )
    func failed(state: ReceiverScript.FileState) throws {
        var script = try ReceiverScript(fileIn: state)
        #expect(script.failed(1, .noSpace) == .refuse(1, .noSpace))
        #expect(try script.chunk(1, at: 10) == .discard)
        #expect(try script.chunk(1, at: 500) == .discard)
        #expect(try script.finish(1, .standIn(30)) == .discard)
        #expect(!script.receiver.isIdle)
        #expect(try script.cancel(1) == .forget)
        #expect(script.receiver.isIdle)
        #expect(script.commits.isEmpty)
    }

    @Test("a failure in the middle of a payload discards the rest of it")
    func failedWhileWriting() throws {
        var script = try ReceiverScript(fileIn: .receiving)
        _ = try script.announce(1, at: 10)
        #expect(script.payload() == .append(1))
        #expect(script.failed(1, .io) == .refuse(1, .io))
        #expect(script.payload() == .discard)
        #expect(script.payloadEnd() == .discard)
        #expect(try script.finish(1, .standIn(20)) == .discard)
        #expect(script.commits.isEmpty)
    }

    @Test("the failure of one file leaves the payload of another alone")
    func failureOfAnother() throws {
        var script = try ReceiverScript(fileIn: .committing)
        _ = try script.offer(2, "b")
        _ = script.staged(2)
        _ = try script.announce(2, at: 0)
        #expect(script.failed(1, .io) == .refuse(1, .io))
        #expect(script.payload() == .append(2))
        #expect(script.payloadEnd() == .verify(2))
        #expect(script.compare(.standIn(at: 10), claimed: .standIn(at: 10)) == .confirm(2, 10))
    }

    @Test("CANCEL gives a file up", arguments: [.receiving, .rewinding, .matching] as [ReceiverScript.FileState])
    func cancel(state: ReceiverScript.FileState) throws {
        var script = try ReceiverScript(fileIn: state)
        #expect(try script.cancel(1) == .discard)
        #expect(script.receiver.isIdle)
        let error = #expect(throws: FxferError.self) { try script.finish(1, .standIn(30)) }
        #expect(error?.code == .protocolViolation)
        #expect(script.commits.isEmpty)
    }

    @Test("CANCEL tells why")
    func cancelReason() throws {
        var script = try ReceiverScript(fileIn: .receiving)
        let failure = FileFailure(file: 1, code: WireCode(.sourceChanged), message: "changed")
        guard case .discard(let error) = try script.receiver.receive(cancel: failure) else {
            Issue.record("an open file is discarded")
            return
        }
        #expect(error.code == .sourceChanged)
    }

    @Test("a file that is there is offered whole, and FINISH with its digest commits it")
    func existing() throws {
        var script = ReceiverScript()
        _ = try script.offer(1)
        #expect(script.existing(1, .standIn(30)) == .accept(1, .standIn(30)))
        #expect(try script.finish(1, .standIn(30)) == .commit(.standIn(30)))
        let receipt = Receipt(file: 1, outcome: .identical, content: .standIn(30), path: [0x61])
        #expect(script.committed(1, .identical) == .send(.receipt(receipt)))
    }

    @Test("a file that is there with other content is left as it is")
    func existingDiffers() throws {
        var script = try ReceiverScript(fileIn: .matching)
        #expect(try script.announce(1, at: 0) == .refuse(1, .exists))
        #expect(script.payload() == .discard)
        #expect(script.payloadEnd() == .discard)
        #expect(try script.chunk(1, at: 10) == .discard)
        #expect(try script.finish(1, .standIn(30)) == .discard)
        #expect(try script.cancel(1) == .forget)
        #expect(script.commits.isEmpty)
    }

    @Test("a commit that failed is refused, and CANCEL ends the file")
    func failedCommit() throws {
        var script = try ReceiverScript(fileIn: .committing)
        #expect(script.failed(1, .exists) == .refuse(1, .exists))
        #expect(try script.cancel(1) == .forget)
        #expect(script.receiver.isIdle)
    }
}
