import Dispatch
import Fxfer
import FxferProtocol
import Synchronization

/// Tells the user what happens in a transfer, and keeps the exit status: that of the first failure.
///
/// Results go to standard output, a line each as soon as the receipt is in. Errors go to standard error, a line each.
/// The progress bar goes to standard error where that is a terminal. All of it is written on a thread of its own, so
/// that a reader that pauses does not hold up the transfer.
final class TransferReporter: Sendable {
    /// What standard output gets.
    enum Style {
        /// `sha256sum` lines.
        case checksums
        /// One JSON object a line.
        case json
        /// Nothing: it belongs to the content.
        case silent
    }

    /// How much is told.
    struct Reporting {
        var style: Style
        var isQuiet: Bool
        /// Whether failures are listed at the end, under a line that sums up: for folders.
        var sumsUp: Bool
    }

    /// JSON progress is at most 5 a second.
    static let progressInterval = Duration.milliseconds(200)

    let reporting: Reporting
    let count: Int
    private let receipts: ReceiptFolder?
    private let tellsProgress: Bool
    private let began = ContinuousClock.now
    private let waiting = Mutex<[TransferEvent]>([])
    private let state: Mutex<ReportState>
    private let writing = DispatchQueue(label: "fxfer.report")

    /// - Parameters:
    ///   - count: how many files or folders the user named.
    ///   - total: the bytes of all files, for the progress bar; nil where that is not known.
    ///   - receipts: where signed receipts are kept before they are told.
    init(_ reporting: Reporting, count: Int, total: UInt64?, receipts: ReceiptFolder? = nil) {
        self.reporting = reporting
        self.count = count
        self.receipts = receipts
        let showsBar = StandardStream.error.canMoveCursor && !reporting.isQuiet && reporting.style != .json
        self.tellsProgress = showsBar || reporting.style == .json
        self.state = Mutex(ReportState(bar: showsBar ? ProgressBar(stream: .error, total: total) : nil))
    }

    /// Takes note of an event; it is told later, in its turn.
    func report(_ event: TransferEvent) {
        if case .progress = event, !self.tellsProgress { return }
        let isFirst = self.waiting.withLock { waiting in
            waiting.append(event)
            return waiting.count == 1
        }
        if isFirst { self.writing.async { self.tellAll() } }
    }

    /// Waits until everything is told; answers 0, or the status of the first failure.
    func finish() -> Int32 {
        self.writing.sync {
            self.tellAll()
            return self.state.withLock { state in
                state.bar?.clear()
                if self.reporting.sumsUp { self.sumUp(state.tally) }
                guard state.isOutputLost else { return state.tally.status }
                StandardStream.error.write(line: "fxfer: standard output could not be written; the files were sent")
                return state.tally.status == 0 ? ExitStatus.status(for: .io) : state.tally.status
            }
        }
    }

    private func tellAll() {
        var events = self.waiting.withLock { waiting in
            let events = waiting
            waiting = []
            return events
        }
        self.keepReceipts(of: &events)
        self.state.withLock { state in
            for event in events { self.tell(event, &state) }
            self.writeOutput(&state)
        }
    }

    /// Writes the receipts among the events. A file whose receipt cannot be kept has failed.
    private func keepReceipts(of events: inout [TransferEvent]) {
        guard let receipts else { return }
        let ended = events.enumerated().compactMap { index, event in
            if case .ended(let file, .success(let receipt)) = event { (index, file, receipt) } else { nil }
        }
        for ((index, file, _), failure) in zip(ended, receipts.keep(ended.map(\.2))) {
            if let failure { events[index] = .ended(file, .failure(failure)) }
        }
    }

    private func writeOutput(_ state: inout ReportState) {
        guard !state.output.isEmpty else { return }
        state.isOutputLost = !StandardStream.output.write(bytes: state.output) || state.isOutputLost
        state.output.removeAll(keepingCapacity: true)
    }

    private func sumUp(_ tally: TransferTally) {
        for failure in tally.failures {
            StandardStream.error.write(line: failure)
        }
        let unnamed = self.reporting.sumsUp ? tally.failed - tally.failures.count : 0
        if unnamed > 0 { StandardStream.error.write(line: "fxfer: and \(unnamed) more failures") }
        if !self.reporting.isQuiet {
            StandardStream.error.write(line: "fxfer: \(tally.summary(in: .now - self.began))")
        }
    }
}
