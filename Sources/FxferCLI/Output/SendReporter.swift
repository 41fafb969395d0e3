import Dispatch
import Fxfer
import FxferProtocol
import Synchronization

/// Tells the user what happens to uploads, and keeps the exit status: that of the first failure.
///
/// Results go to standard output, a line each as soon as the receipt is in. Errors go to standard error, a line each.
/// The progress bar goes to standard error where that is a terminal. All of it is written on a thread of its own, so
/// that a reader that pauses does not hold up the transfer.
final class SendReporter: Sendable {
    /// What standard output gets.
    enum Style {
        /// `sha256sum` lines.
        case checksums
        /// One JSON object a line.
        case json
    }

    private struct State {
        var bar: ProgressBar?
        var status: Int32 = 0
        /// Verified bytes of the files that are under way.
        var verified: [RelativePath: UInt64] = [:]
        /// Verified bytes of all files, those that have ended included.
        var totalVerified: UInt64 = 0
        var lastProgress: ContinuousClock.Instant?
        var lastConnectionError: String?
        var isOutputLost = false

        mutating func note(_ verified: UInt64, of upload: Upload) {
            let before = self.verified.updateValue(verified, forKey: upload.destination) ?? 0
            self.totalVerified += verified - min(before, verified)
        }
    }

    /// JSON progress is at most 5 a second.
    private static let progressInterval = Duration.milliseconds(200)

    private let style: Style
    private let isQuiet: Bool
    private let count: Int
    private let state: Mutex<State>
    private let writing = DispatchQueue(label: "fxfer.report")

    /// - Parameters:
    ///   - count: how many uploads there are.
    ///   - total: the bytes of all uploads, for the progress bar.
    init(style: Style, isQuiet: Bool, count: Int, total: UInt64) {
        self.style = style
        self.count = count
        self.isQuiet = isQuiet
        let showsBar = StandardStream.error.canMoveCursor && !isQuiet && style == .checksums
        self.state = Mutex(State(bar: showsBar ? ProgressBar(stream: .error, total: total) : nil))
    }

    /// Takes note of an event; it is told later, in its turn.
    func report(_ event: UploadEvent) {
        self.writing.async { self.tell(event) }
    }

    /// Waits until everything is told; answers 0, or the status of the first failure.
    func finish() -> Int32 {
        self.writing.sync {
            self.state.withLock { state in
                guard state.isOutputLost else { return state.status }
                StandardStream.error.write(line: "fxfer: standard output could not be written; the files were sent")
                return state.status == 0 ? ExitStatus.status(for: .io) : state.status
            }
        }
    }

    private func tell(_ event: UploadEvent) {
        self.state.withLock { state in
            switch event {
            case .started(let upload, let size):
                if self.style == .json {
                    self.write(SendEvent(event: "started", name: upload.destination, size: size), &state)
                }
            case .progress(let upload, let verified):
                state.note(verified, of: upload)
                self.showProgress(upload, &state)
            case .ended(let upload, .success(let receipt)):
                state.note(receipt.size, of: upload)
                self.showProgress(upload, &state)
                state.verified[upload.destination] = nil
                state.bar?.clear()
                self.show(receipt, &state)
            case .ended(let upload, .failure(let error)):
                state.bar?.clear()
                state.status = state.status == 0 ? ExitStatus.status(for: error.code) : state.status
                self.show(error, upload, &state)
            }
        }
    }

    private func showProgress(_ upload: Upload, _ state: inout State) {
        switch self.style {
        case .checksums:
            state.bar?.draw(upload.destination, verified: state.totalVerified)
        case .json:
            let now = ContinuousClock.now
            if let last = state.lastProgress, now - last < Self.progressInterval { return }
            state.lastProgress = now
            let verified = state.verified[upload.destination]
            self.write(SendEvent(event: "progress", name: upload.destination, verified: verified), &state)
        }
    }

    private func show(_ receipt: UploadReceipt, _ state: inout State) {
        switch self.style {
        case .checksums:
            let isTerminal = StandardStream.output.isTerminal
            let line = ChecksumLine.bytes(receipt.digest, receipt.path, forTerminal: isTerminal)
            state.isOutputLost = !StandardStream.output.write(bytes: line) || state.isOutputLost
        case .json:
            var event = SendEvent(event: "receipt", name: receipt.path, size: receipt.size)
            event.sha256 = receipt.digest.hex
            event.outcome = receipt.wasThere ? "identical" : "stored"
            event.repairs = receipt.repairs
            self.write(event, &state)
        }
        guard !self.isQuiet else { return }
        if receipt.wasThere {
            StandardStream.error.write(line: "fxfer: '\(receipt.path)' was there already with the same content")
        }
        if receipt.repairs > 0 {
            let parts = receipt.repairs == 1 ? "1 part" : "\(receipt.repairs) parts"
            StandardStream.error.write(
                line: "fxfer: '\(receipt.path)': \(parts) arrived damaged and had to be sent again"
            )
        }
    }

    private func show(_ error: FxferError, _ upload: Upload, _ state: inout State) {
        if self.style == .json {
            self.write(SendEvent(failure: error, name: upload.destination), &state)
        }
        let source = "'\(EscapedText.escape(upload.source))'"
        if error.message.contains(source) {
            StandardStream.error.write(line: "fxfer: \(error.message)")
            return
        }
        if error.message.contains("'\(upload.destination)'") {
            StandardStream.error.write(line: "fxfer: \(source): \(error.message)")
            return
        }
        // The connection failed, and with it all that was still to be sent: the reason is told once.
        if state.lastConnectionError != error.message {
            state.lastConnectionError = error.message
            StandardStream.error.write(line: "fxfer: \(error.message)")
        }
        if self.count > 1 {
            StandardStream.error.write(line: "fxfer: \(source) was not sent")
        }
    }

    private func write(_ event: SendEvent, _ state: inout State) {
        state.isOutputLost = !StandardStream.output.write(line: JSONLine.text(event)) || state.isOutputLost
    }
}
