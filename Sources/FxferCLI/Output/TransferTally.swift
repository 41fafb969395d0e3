import Fxfer
import FxferProtocol

/// What became of the files of a transfer, counted.
struct TransferTally {
    /// Names beyond this many are not kept, only counted.
    private static let maxFailures = 10_000

    private(set) var stored = 0
    private(set) var identical = 0
    private(set) var repaired = 0
    private(set) var unchanged = 0
    private(set) var skipped = 0
    private(set) var failed = 0
    /// Bytes of files that got a receipt.
    private(set) var bytes: UInt64 = 0
    /// The least that a receipt tells of how files are kept; nil where there was none.
    private(set) var level: Durability?
    /// The exit status: that of the first failure.
    private(set) var status: Int32 = 0
    /// What is told about failures at the end.
    private(set) var failures: [String] = []

    mutating func note(_ receipt: TransferReceipt) {
        self.bytes += receipt.size
        if let level = receipt.level { self.level = min(self.level ?? level, level) }
        switch receipt.outcome {
        case .identical: self.identical += 1
        case .repaired: self.repaired += 1
        case .stored, .replaced: self.stored += 1
        }
    }

    mutating func noteUnchanged() { self.unchanged += 1 }

    mutating func noteSkipped() { self.skipped += 1 }

    mutating func note(_ error: FxferError, _ line: String?) {
        self.failed += 1
        if self.status == 0 { self.status = ExitStatus.status(for: error.code) }
        if let line, self.failures.count < Self.maxFailures { self.failures.append(line) }
    }

    /// What became of all files, in one line.
    func summary(in time: Duration) -> String {
        let counts = [
            (self.stored, "stored"), (self.repaired, "repaired"), (self.identical, "there already"),
            (self.unchanged, "unchanged"),
            (self.skipped, "skipped"), (self.failed, "failed"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        let files = counts.isEmpty ? "nothing to send" : counts.joined(separator: ", ")
        let level = self.level.flatMap { $0 == .durable ? nil : " at the level '\($0.name)'" } ?? ""
        return "\(files)\(level); \(HumanText.size(self.bytes)) verified in \(HumanText.time(time))"
    }
}
