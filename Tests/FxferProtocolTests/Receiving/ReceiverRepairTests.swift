import FxferProtocol
import Testing

/// File 1 has 30 bytes and is there with other ones than it was stored with.
@Suite("Repairing, as the receiver does it")
struct ReceiverRepairTests {
    private static let whole = FilePrefix.standIn(30)

    /// A receiver whose file is being repaired, of which nothing has come yet.
    private static func repairing(
        _ ranges: [Range<UInt64>] = [5..<15],
        canRestart: Bool = false
    ) throws -> ReceiverScript {
        var script = ReceiverScript()
        _ = try script.offer(1)
        try script.decay(ranges, canRestart: canRestart)
        #expect(try script.repair(1) == .stage)
        return script
    }

    @Test("only what is damaged comes; the gaps are filled from what is there")
    func gaps() throws {
        var script = try Self.repairing()
        #expect(try script.announce(1, at: 5) == .fill(upTo: 5))
        #expect(script.payload() == .append(1))
        #expect(script.payloadEnd() == .verify(1))
        #expect(script.compare(.standIn(at: 15), claimed: .standIn(at: 15)) == .confirm(1, 15))
        #expect(try script.announce(1, at: 20, length: 5) == .fill(upTo: 20))
        #expect(script.payloadEnd() == .verify(1))
        #expect(script.compare(.standIn(at: 25), claimed: .standIn(at: 25)) == .confirm(1, 25))
        #expect(try script.finish(1, Self.whole) == .fill(upTo: 30))
        #expect(script.filled(1, Self.whole) == .commit(Self.whole))
        let receipt = script.receiver.committed(1, .replaced, repairedChunks: 1)
        let path: [UInt8] = [0x61]
        #expect(
            receipt == Receipt(file: 1, outcome: .replaced, content: Self.whole, path: path, repairedChunks: 1)
        )
        #expect(script.receiver.isIdle)
    }

    @Test("a chunk without a gap before it, and one that is the last, need no filling")
    func withoutGaps() throws {
        var script = try Self.repairing([0..<30])
        #expect(try script.announce(1, at: 0) == .proceed)
        #expect(script.payloadEnd() == .verify(1))
        #expect(script.compare(.standIn(at: 10), claimed: .standIn(at: 10)) == .confirm(1, 10))
        #expect(try script.chunk(1, at: 20) == .confirm(1, 30))
        #expect(try script.finish(1, Self.whole) == .commit(Self.whole))
    }

    @Test("what comes need not be in the ranges that were told: the receiver knows no better")
    func elsewhere() throws {
        var script = try Self.repairing([0..<1])
        #expect(try script.chunk(1, at: 20, length: 1) == .confirm(1, 21))
        #expect(try script.finish(1, Self.whole) == .fill(upTo: 30))
        #expect(script.filled(1, Self.whole) == .commit(Self.whole))
    }

    @Test("without any chunk all is taken from what is there, which cannot become what was stored")
    func nothingSent() throws {
        var script = try Self.repairing()
        #expect(try script.finish(1, Self.whole) == .fill(upTo: 30))
        #expect(script.filled(1, .decayed) == .rewind(1, to: 0))
        #expect(script.commits.isEmpty)
    }

    @Test("a file that can be replaced is repaired, too; a chunk at 0 is no restart then")
    func canRestart() throws {
        var script = try Self.repairing(canRestart: true)
        #expect(try script.chunk(1, at: 0) == .confirm(1, 10))
        let error = #expect(throws: FxferError.self) { try script.announce(1, at: 0) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("a sender that has what is there now is refused, unless other content is taken: then the store judges")
    func sameDamage() throws {
        var script = try ReceiverScript(fileIn: .decayed)
        #expect(try script.finish(1, .decayed) == .refuse(1, .exists))
        #expect(script.commits.isEmpty)
        script = try ReceiverScript(fileIn: .decayedOrElse)
        #expect(try script.finish(1, .decayed) == .commit(.decayed))
    }

    @Test("where the file has not decayed, REPAIR breaks the protocol, other content taken or not", arguments: [1, 2])
    func notOffered(file: FileID) throws {
        for state in [.matching, .matchingOrElse, .resumed, .receiving] as [ReceiverScript.FileState] {
            var script = try ReceiverScript(fileIn: state)
            let error = #expect(throws: FxferError.self) { try script.repair(file) }
            #expect(error?.code == .protocolViolation)
            #expect(script.commits.isEmpty)
        }
    }

    @Test("a second REPAIR breaks the protocol, and so does one behind a chunk or FINISH", arguments: 0..<4)
    func repairAgain(step: Int) throws {
        var script = try Self.repairing()
        if step > 0 { _ = try script.chunk(1, at: 5) }
        if step > 1 { #expect(try script.finish(1, Self.whole) == .fill(upTo: 30)) }
        if step > 2 { #expect(script.filled(1, Self.whole) == .commit(Self.whole)) }
        let error = #expect(throws: FxferError.self) { try script.repair(1) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("REPAIR that crosses a REFUSE is discarded, as is all that follows it")
    func refusedBefore() throws {
        var script = try ReceiverScript(fileIn: .decayed)
        #expect(script.failed(1, .io) == .refuse(1, .io))
        #expect(try script.repair(1) == .discard)
        #expect(try script.chunk(1, at: 5) == .discard)
        #expect(try script.finish(1, Self.whole) == .discard)
        #expect(try script.cancel(1) == .forget)
        #expect(script.receiver.isIdle)
        #expect(script.commits.isEmpty)
    }

    @Test("a file that cannot be staged, filled or written is refused, and the rest of it discarded", arguments: 0..<4)
    func failed(step: Int) throws {
        var script = try Self.repairing()
        switch step {
        case 1: #expect(try script.announce(1, at: 5) == .fill(upTo: 5))
        case 2:
            _ = try script.announce(1, at: 5)
            #expect(script.payload() == .append(1))
        case 3: #expect(try script.finish(1, Self.whole) == .fill(upTo: 30))
        default: break
        }
        #expect(script.failed(1, .io) == .refuse(1, .io))
        if (1...2).contains(step) {
            #expect(script.payload() == .discard)
            #expect(script.payloadEnd() == .discard)
        }
        #expect(try script.chunk(1, at: 20) == .discard)
        #expect(try script.finish(1, Self.whole) == .discard)
        #expect(try script.cancel(1) == .forget)
        #expect(script.receiver.isIdle)
        #expect(script.commits.isEmpty)
    }

    @Test("FINISH with another size or digest than what was stored is refused", arguments: [0, 15, 30] as [UInt64])
    func otherContent(sent: UInt64) throws {
        let wrong = [
            .decayed, .empty, .standIn(15), .standIn(31), FilePrefix(length: 30, digest: .standIn(at: 15)),
            FilePrefix(length: 15, digest: .standIn(at: 30)), FilePrefix(length: .max, digest: .standIn(at: 30)),
        ]
        for content in wrong {
            var script = try Self.repairing()
            for end in stride(from: 15, through: sent, by: 15) { _ = try script.chunk(1, at: end - 10) }
            #expect(try script.finish(1, content) == .refuse(1, .damaged))
            #expect(try script.chunk(1, at: 20) == .discard)
            #expect(try script.cancel(1) == .forget)
            #expect(script.commits.isEmpty)
        }
    }

    @Test("a sender that states what was stored and has sent all of something else is refused")
    func lyingSender() throws {
        var script = try Self.repairing()
        _ = try script.chunk(1, at: 5)
        _ = try script.announce(1, at: 20)
        _ = script.payloadEnd()
        #expect(script.compare(.standIn(at: 99), claimed: .standIn(at: 99)) == .confirm(1, 30))
        #expect(try script.finish(1, Self.whole) == .refuse(1, .damaged))
        #expect(script.commits.isEmpty)
    }

    @Test(
        "a chunk that begins before the end of the last one breaks the protocol",
        arguments: [0, 5, 14] as [UInt64]
    )
    func overlapping(offset: UInt64) throws {
        var script = try Self.repairing()
        _ = try script.chunk(1, at: 5)
        let error = #expect(throws: FxferError.self) { try script.announce(1, at: offset, length: 1) }
        #expect(error?.code == .protocolViolation)
        #expect(script.commits.isEmpty)
    }

    @Test(
        "a chunk that ends beyond the size breaks the protocol before anything is filled",
        arguments: [(21, 10), (29, 2), (30, 1), (31, 1), (.max - 10, 10)] as [(UInt64, UInt32)]
    )
    func beyond(offset: UInt64, length: UInt32) throws {
        var script = try Self.repairing()
        let error = #expect(throws: FxferError.self) { try script.announce(1, at: offset, length: length) }
        #expect(error?.code == .protocolViolation)
        #expect(script.commits.isEmpty)
    }

    @Test("CANCEL gives a repair up, wherever it is", arguments: 0..<5)
    func cancel(step: Int) throws {
        var script = try Self.repairing()
        if step > 0 { _ = try script.chunk(1, at: 5) }
        if step == 2 { _ = try script.chunk(1, at: 20, isDamaged: true) }
        if step == 3 {
            #expect(try script.finish(1, Self.whole) == .fill(upTo: 30))
            #expect(script.filled(1, .decayed) == .rewind(1, to: 15))
        }
        if step == 4 { #expect(script.failed(1, .io) == .refuse(1, .io)) }
        #expect(try script.cancel(1) == (step == 4 ? .forget : .discard))
        #expect(script.receiver.isIdle)
        #expect(script.commits.isEmpty)
        #expect(try script.offer(2) == .stage)
    }

    @Test("CANCEL while the repaired file is published breaks the protocol")
    func cancelLate() throws {
        var script = try Self.repairing()
        _ = try script.finish(1, Self.whole)
        _ = script.filled(1, Self.whole)
        let error = #expect(throws: FxferError.self) { try script.cancel(1) }
        #expect(error?.code == .protocolViolation)
    }
}
