import Fxfer
import FxferProtocol

/// What a ``TransferReporter`` knows while the transfer goes on.
struct ReportState {
    var bar: ProgressBar?
    var tally = TransferTally()
    /// Verified bytes of the files that are under way.
    var verified: [TransferFile: UInt64] = [:]
    /// Verified bytes of all files, those that have ended included.
    var totalVerified: UInt64 = 0
    var lastProgress: ContinuousClock.Instant?
    var hasToldAbandoned = false
    var isOutputLost = false
    /// What standard output gets at the end of this round.
    var output: [UInt8] = []

    mutating func noteEnd(of file: TransferFile, _ size: UInt64) {
        let before = self.verified.isEmpty ? 0 : self.verified.removeValue(forKey: file) ?? 0
        self.totalVerified += size - min(before, size)
    }

    mutating func note(_ verified: UInt64, of file: TransferFile) {
        let before = self.verified.updateValue(verified, forKey: file) ?? 0
        self.totalVerified += verified - min(before, verified)
    }
}
