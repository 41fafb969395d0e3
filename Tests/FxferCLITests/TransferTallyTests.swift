import FxferProtocol
import Testing

@testable import Fxfer
@testable import FxferCLI

@Suite("what became of the files of a transfer")
struct TransferTallyTests {
    private static func receipt(
        _ outcome: TransferReceipt.Outcome,
        _ size: UInt64,
        _ level: Durability? = nil
    ) -> TransferReceipt {
        TransferReceipt(outcome: outcome, path: [0x61], size: size, digest: .ofNothing, repairs: 0, level: level)
    }

    @Test("nothing sent is told as such")
    func nothing() {
        #expect(TransferTally().summary(in: .zero) == "nothing to send; 0 B verified in 0:00")
        #expect(TransferTally().status == 0)
    }

    @Test("each outcome is counted, and those that did not occur are left out")
    func counts() {
        var tally = TransferTally()
        tally.note(Self.receipt(.stored, 1024))
        tally.note(Self.receipt(.replaced, 512))
        #expect(tally.summary(in: .seconds(61)) == "2 stored; 1.5 KiB verified in 1:01")
        tally.note(Self.receipt(.identical, 512))
        tally.noteUnchanged()
        tally.noteSkipped()
        tally.noteSkipped()
        tally.note(FxferError(.noSpace, "full"), "line")
        let counts = "2 stored, 1 there already, 1 unchanged, 2 skipped, 1 failed"
        #expect(tally.summary(in: .seconds(61)) == "\(counts); 2.0 KiB verified in 1:01")
    }

    @Test("the least level is told where it is not durable")
    func levels() {
        var tally = TransferTally()
        for (level, told) in [
            (.media, " at the level 'media'"), (.durable, ""), (.verified, " at the level 'verified'"),
        ]
            as [(Durability, String)]
        {
            tally.note(Self.receipt(.stored, 0, level))
            #expect(tally.summary(in: .zero) == "\(tally.stored) stored\(told); 0 B verified in 0:00")
        }
    }

    @Test("the status is that of the first failure")
    func status() {
        var tally = TransferTally()
        for code in [.noSpace, .usage, .damaged] as [FxferError.Code] {
            tally.note(FxferError(code, "failed"), nil)
        }
        #expect(tally.status == ExitStatus.status(for: .noSpace))
        #expect(tally.failures.isEmpty)
    }

    @Test("no more than ten thousand failures are kept, all are counted")
    func manyFailures() {
        var tally = TransferTally()
        for number in 0..<10_001 { tally.note(FxferError(.io, "failed"), "\(number)") }
        #expect(tally.failed == 10_001)
        #expect(tally.failures.count == 10_000)
        #expect(tally.failures.last == "9999")
    }
}
