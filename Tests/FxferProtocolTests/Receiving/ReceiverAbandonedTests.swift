import FxferProtocol
import Testing

@Suite("A file that is given up while the store is asked")
struct ReceiverAbandonedTests {
    /// What the store says in the end.
    enum StoreAnswer: CaseIterable {
        case staged, partial, existing, same
    }

    @Test("whatever the store answers, nothing is sent, and the place is free", arguments: StoreAnswer.allCases)
    func answered(answer: StoreAnswer) throws {
        var script = try ReceiverScript(fileIn: .abandoned)
        #expect(!script.receiver.isIdle)
        switch answer {
        case .staged: #expect(script.staged(1) == .nothing)
        case .partial: #expect(script.staged(1, .standIn(10)) == .nothing)
        case .existing: #expect(script.existing(1, .standIn(30)) == .nothing)
        case .same: #expect(script.same(1) == .nothing)
        }
        #expect(script.receiver.isIdle)
        #expect(script.commits.isEmpty)
    }

    @Test("where the store fails, the file is closed: no second CANCEL is waited for")
    func failed() throws {
        var script = try ReceiverScript(fileIn: .abandoned)
        #expect(script.failed(1, .noSpace) == .refuse(1, .noSpace))
        #expect(script.receiver.isIdle)
        let error = #expect(throws: FxferError.self) { try script.cancel(1) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("it counts as open until the store has answered")
    func countsAsOpen() throws {
        var script = ReceiverScript(filesInFlight: 1)
        _ = try script.offer(1)
        #expect(try script.cancel(1) == .forget)
        let error = #expect(throws: FxferError.self) { try script.offer(2) }
        #expect(error?.code == .limitExceeded)
    }

    @Test("other files go on meanwhile")
    func others() throws {
        var script = try ReceiverScript(fileIn: .abandoned)
        #expect(try script.offer(2, "b") == .stage)
        _ = script.staged(2)
        #expect(try script.chunk(2, at: 0) == .confirm(2, 10))
        #expect(script.staged(1) == .nothing)
        #expect(try script.chunk(2, at: 10) == .confirm(2, 20))
    }
}
