import Fxfer
import FxferProtocol

/// What the user is told about each event.
extension TransferReporter {
    func tell(_ event: TransferEvent, _ state: inout ReportState) {
        switch event {
        case .started(let file, let size):
            guard self.reporting.style == .json, !file.isFolder else { return }
            var line = TransferLine(event: "started", file)
            line.size = size
            self.write(line, &state)
        case .resumed(let file, let offset):
            self.tellResumed(file, offset, &state)
        case .progress(let file, let verified):
            state.note(verified, of: file)
            self.showProgress(file, &state)
        case .ended(let file, .success(let receipt)):
            state.noteEnd(of: file, receipt.size)
            if self.reporting.style == .checksums { self.showProgress(file, &state) }
            self.show(receipt, file, &state)
        case .ended(let file, .failure(let error)):
            state.verified[file] = nil
            self.show(error, file, &state)
        case .abandoned(let file, let error):
            self.showAbandoned(error, file, &state)
        case .unchanged(let file):
            state.tally.noteUnchanged()
            if self.reporting.style == .json { self.write(TransferLine(event: "unchanged", file), &state) }
        case .skipped(let file, let reason):
            state.tally.noteSkipped()
            self.tellSkipped(file, reason, &state)
        case .retrying(let error, let pause, let attempt, let attempts):
            self.tellRetry(error, pause, attempt, attempts, &state)
        }
    }

    private func showProgress(_ file: TransferFile, _ state: inout ReportState) {
        switch self.reporting.style {
        case .checksums, .silent:
            guard state.bar != nil else { return }
            state.bar?.draw(EscapedText.escape(file.destination ?? file.source), verified: state.totalVerified)
        case .json:
            guard !file.isFolder else { return }
            let now = ContinuousClock.now
            if let last = state.lastProgress, now - last < Self.progressInterval { return }
            state.lastProgress = now
            var line = TransferLine(event: "progress", file)
            line.verified = state.verified[file]
            self.write(line, &state)
        }
    }

    private func show(_ receipt: TransferReceipt, _ file: TransferFile, _ state: inout ReportState) {
        guard !file.isFolder else {
            guard self.reporting.style == .json else { return }
            var line = TransferLine(event: "folder", file)
            line.outcome = receipt.outcome.rawValue
            self.write(line, &state)
            return
        }
        state.tally.note(receipt)
        switch self.reporting.style {
        case .checksums:
            state.bar?.clear(if: StandardStream.output.isTerminal)
            let isTerminal = StandardStream.output.isTerminal
            state.output += ChecksumLine.bytes(receipt.digest, receipt.path, forTerminal: isTerminal)
        case .json:
            var line = TransferLine(event: "receipt", file, name: receipt.path)
            line.size = receipt.size
            line.sha256 = receipt.digest.hex
            line.outcome = receipt.outcome.rawValue
            line.durability = receipt.level?.name
            line.repairs = receipt.repairs
            line.repairedChunks = receipt.repairedChunks
            if let asked = file.destination, asked != receipt.path { line.asked = EscapedText.escape(asked) }
            self.write(line, &state)
        case .silent:
            break
        }
        self.remark(on: receipt, file, &state)
    }

    private func remark(on receipt: TransferReceipt, _ file: TransferFile, _ state: inout ReportState) {
        guard !self.reporting.isQuiet else { return }
        let name = EscapedText.escape(receipt.path)
        if let asked = file.destination, asked != receipt.path {
            let how = receipt.outcome == .identical ? "there already as" : "stored as"
            self.remark("'\(EscapedText.escape(asked))' has other content there: \(how) '\(name)'", &state)
        } else if receipt.outcome == .identical, !self.reporting.sumsUp {
            self.remark("'\(name)' was there already with the same content", &state)
        }
        if let chunks = receipt.repairedChunks {
            self.remark("'\(name)' had decayed there: \(HumanText.damagedChunks(chunks)) replaced", &state)
        }
        if let level = receipt.level, level != .durable, !self.reporting.sumsUp {
            self.remark("'\(name)' is kept at the level '\(level.name)'", &state)
        }
        if receipt.repairs > 0 {
            let parts = receipt.repairs == 1 ? "1 part" : "\(receipt.repairs) parts"
            self.remark("'\(name)': \(parts) arrived damaged and had to be sent again", &state)
        }
    }

    private func tellResumed(_ file: TransferFile, _ offset: UInt64, _ state: inout ReportState) {
        if self.reporting.style == .json {
            var line = TransferLine(event: "resumed", file)
            line.offset = offset
            self.write(line, &state)
        }
        let name = EscapedText.escape(file.destination ?? file.source)
        self.remark("'\(name)' goes on at \(HumanText.size(offset)), which is verified", &state)
    }

    private func tellSkipped(_ file: TransferFile, _ reason: String, _ state: inout ReportState) {
        if self.reporting.style == .json {
            var line = TransferLine(event: "skipped", file)
            line.reason = reason
            self.write(line, &state)
        }
        self.remark("'\(EscapedText.escape(file.source))' is \(reason) and was skipped", &state)
    }

    private func tellRetry(
        _ error: FxferError,
        _ pause: Duration,
        _ attempt: Int,
        _ attempts: Int,
        _ state: inout ReportState
    ) {
        let seconds = pause.components.seconds
        if self.reporting.style == .json {
            var line = TransferLine(event: "retry")
            line.code = error.code.rawValue
            line.message = error.message
            (line.attempt, line.attempts, line.pause) = (attempt, attempts, seconds)
            self.write(line, &state)
        }
        let reason = error.message.hasSuffix("; try again") ? String(error.message.dropLast(11)) : error.message
        self.remark("\(reason); trying again in \(seconds) s (\(attempt) of \(attempts))", &state)
    }

    /// A failure that is the file's own.
    private func show(_ error: FxferError, _ file: TransferFile, _ state: inout ReportState) {
        if self.reporting.style == .json {
            self.write(TransferLine(failure: error, file), &state)
        }
        let source = file.source.isEmpty ? "standard input" : "'\(EscapedText.escape(file.source))'"
        let names = error.message.contains(source) ? "" : "\(source): "
        self.tellFailure(error, "fxfer: \(names)\(error.message)", &state)
    }

    /// A failure that ended all: told once, then each file that it met is named where there are several.
    private func showAbandoned(_ error: FxferError, _ file: TransferFile, _ state: inout ReportState) {
        if self.reporting.style == .json {
            self.write(TransferLine(failure: error, file), &state)
        }
        if !state.hasToldAbandoned {
            state.hasToldAbandoned = true
            state.bar?.clear()
            StandardStream.error.write(line: "fxfer: \(error.message)")
        }
        let isOnly = self.count == 1 && !self.reporting.sumsUp
        let name = EscapedText.escape(file.source)
        self.tellFailure(error, isOnly ? nil : "fxfer: '\(name)' was not sent", &state)
    }

    private func tellFailure(_ error: FxferError, _ line: String?, _ state: inout ReportState) {
        state.tally.note(error, self.reporting.sumsUp ? line : nil)
        guard !self.reporting.sumsUp, let line else { return }
        state.bar?.clear()
        StandardStream.error.write(line: line)
    }

    private func remark(_ text: String, _ state: inout ReportState) {
        guard !self.reporting.isQuiet else { return }
        state.bar?.clear()
        StandardStream.error.write(line: "fxfer: \(text)")
    }

    private func write(_ line: TransferLine, _ state: inout ReportState) {
        state.output += Array("\(JSONLine.text(line))\n".utf8)
    }
}
