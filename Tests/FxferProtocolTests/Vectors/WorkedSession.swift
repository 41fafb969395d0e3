import Foundation

/// The hex dump at the end of the specification.
struct WorkedSession {
    /// What one side sends before the other answers.
    struct Turn: Equatable {
        let isFromClient: Bool
        var bytes: [UInt8]
    }

    private(set) var turns: [Turn] = []

    /// Reads the lines `C  00000000  f8 46 …` and `S  …` of the article.
    ///
    /// - Throws: what reading the article throws, and ``Malformed`` where an offset is not the one behind the last byte.
    init() throws {
        let article = URL(filePath: #filePath)
            .appending(path: "../../../../Sources/FxferProtocol/FxferProtocol.docc/WireProtocol.md").standardized
        var offsets: [Substring: Int] = ["C": 0, "S": 0]
        for match in try String(contentsOf: article, encoding: .utf8).matches(of: Self.line) {
            let (_, side, offset, digits) = match.output
            guard Int(offset, radix: 16) == offsets[side] else { throw Malformed(line: String(match.output.0)) }
            let bytes = hex(String(digits))
            offsets[side, default: 0] += bytes.count
            if self.turns.last?.isFromClient == (side == "C") {
                self.turns[self.turns.count - 1].bytes += bytes
            } else {
                self.turns.append(Turn(isFromClient: side == "C", bytes: bytes))
            }
        }
    }

    struct Malformed: Error {
        let line: String
    }

    private static var line: Regex<(Substring, Substring, Substring, Substring)> {
        /(C|S)  ([0-9a-f]{8})  ((?:[0-9a-f]{2} ?){1,16})/
    }
}
