import Fxfer
import FxferProtocol
import Synchronization

/// Tells on standard output what `verify` finds, and on a terminal how far it is.
final class VerificationReporter: Sendable {
    private struct State {
        var tally = VerificationTally()
        var bar: ProgressBar?
        var isLost = false
        var decayed: [RelativePath] = []
    }

    private let asJSON: Bool
    private let isQuiet: Bool
    private let state = Mutex(State())

    init(asJSON: Bool, isQuiet: Bool) {
        self.asJSON = asJSON
        self.isQuiet = isQuiet
    }

    func note(_ event: VerificationEvent) {
        self.state.withLock { state in
            switch event {
            case .began(_, let bytes):
                guard StandardStream.error.canMoveCursor, !self.isQuiet else { return }
                state.bar = ProgressBar(stream: .error, total: bytes)
            case .progress(let bytes):
                state.bar?.draw("verify", verified: bytes)
            default:
                if let path = event.decayed { state.decayed.append(path) }
                state.tally.count(event)
                guard let line = VerificationLine(event) else { return }
                state.bar?.clear(if: StandardStream.output.isTerminal)
                let isWritten = StandardStream.output.write(line: self.asJSON ? line.json : line.text)
                if !isWritten { state.isLost = true }
            }
        }
    }

    /// The files that have decayed.
    var decayed: [RelativePath] { self.state.withLock { $0.decayed } }

    /// Removes the progress line.
    func clear() {
        self.state.withLock { $0.bar?.clear() }
    }

    /// Sums up; answers the exit status.
    func finish(files: Int, bytes: UInt64) -> Int32 {
        self.clear()
        return self.state.withLock { state in
            let summary = state.tally.summary(files: files, bytes: bytes)
            if !self.isQuiet || self.asJSON {
                let line = self.asJSON ? JSONLine.text(summary) : summary.text
                if !StandardStream.output.write(line: line) { state.isLost = true }
            }
            if state.isLost {
                StandardStream.error.write(line: "fxfer: standard output could not be written")
                return ExitStatus.status(for: .io)
            }
            return state.tally.isFine ? 0 : ExitStatus.status(for: .damaged)
        }
    }
}

extension VerificationEvent {
    /// The file that has decayed: nobody has written to it, and it is another one or cannot be read.
    fileprivate var decayed: RelativePath? {
        switch self {
        case .changed(let path, _, isRewritten: false): path
        case .unreadable(let path, _, hasDecayed: true): try? RelativePath(bytes: path)
        default: nil
        }
    }
}
