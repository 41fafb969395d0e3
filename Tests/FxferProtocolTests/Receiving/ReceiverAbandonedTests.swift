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

    @Test("it is not open any more, and is in the way of an offer only where it would be one too many")
    func inTheWay() throws {
        var script = ReceiverScript(filesInFlight: 2)
        _ = try script.offer(1)
        #expect(try script.cancel(1) == .forget)
        #expect(script.receiver.abandonedFileInTheWay == nil)
        #expect(try script.offer(2) == .stage)
        #expect(script.receiver.abandonedFileInTheWay == 1)
        #expect(script.staged(1) == .nothing)
        #expect(script.receiver.abandonedFileInTheWay == nil)
        #expect(try script.offer(3) == .stage)
        #expect(script.receiver.abandonedFileInTheWay == nil)
    }

    @Test("a sender that keeps to the limit is not taken for one that does not", arguments: [1, 3] as [UInt16])
    func limit(filesInFlight: UInt16) throws {
        var script = ReceiverScript(filesInFlight: filesInFlight)
        for file in 1...FileID(filesInFlight) { _ = try script.offer(file) }
        #expect(try script.cancel(1) == .forget)
        #expect(try script.offer(10) == .stage)
        let error = #expect(throws: FxferError.self) { try script.offer(11) }
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
