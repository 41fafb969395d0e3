import Dispatch
import FxferLegacy
import Glibc
import Synchronization

/// Standard input and output as the console of a textbook program: prompts on a terminal, plain lines in a pipe.
final class TerminalConsole: Console {
    private let reading = DispatchQueue(label: "fxfer.standard-input")
    private let input = Mutex(LineInput())
    private let showsPrompts = isatty(STDIN_FILENO) == 1 && StandardStream.output.isTerminal

    func show(_ line: String) async {
        StandardStream.output.write(line: line)
    }

    func ask(_ prompt: String) async -> [UInt8]? {
        if self.showsPrompts {
            StandardStream.output.write(bytes: Array(prompt.utf8))
        }
        // The read blocks on a thread of its own; a cancelled task does not wait for it.
        let (lines, line) = AsyncStream<[UInt8]>.makeStream()
        self.reading.async {
            if let bytes = self.input.withLock({ $0.readLine() }) {
                line.yield(bytes)
            }
            line.finish()
        }
        return await lines.first { _ in true }
    }
}

/// Standard input cut into lines.
private struct LineInput: ~Copyable {
    private static let readSize = 4096

    private var pending: [UInt8] = []

    /// The next line without its end; nil at the end of the input.
    mutating func readLine() -> [UInt8]? {
        while true {
            if let end = self.pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(self.pending[..<end])
                self.pending.removeFirst(end + 1)
                return line
            }
            guard self.readMore() else {
                let last = self.pending
                self.pending = []
                return last.isEmpty ? nil : last
            }
        }
    }

    /// False at the end of the input.
    private mutating func readMore() -> Bool {
        withUnsafeTemporaryAllocation(byteCount: Self.readSize, alignment: 1) { buffer in
            var count: Int
            repeat {
                count = read(STDIN_FILENO, buffer.baseAddress, buffer.count)
            } while count < 0 && errno == EINTR
            guard count > 0 else { return false }
            self.pending.append(contentsOf: buffer.prefix(count))
            return true
        }
    }
}
