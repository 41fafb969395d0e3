import FxferProtocol
import FxferStorage

/// How a transfer ended, as ``ServerMetric/files`` counts it.
struct FileEnd: Hashable {
    enum Direction: String, CaseIterable {
        case received
        case sent
    }

    enum Outcome: String, CaseIterable {
        case stored
        /// The same content was there already.
        case identical
        case replaced
        /// The same content was there and had decayed.
        case repaired
        /// The same size and time were there already, and nothing was read.
        case unchanged
        /// It had begun.
        case failed
        /// It had not begun.
        case refused
    }

    let direction: Direction
    let outcome: Outcome

    static let all = Direction.allCases.flatMap { direction in
        Outcome.allCases.map { FileEnd(direction: direction, outcome: $0) }
    }

    var dimensions: [(String, String)] {
        [("direction", self.direction.rawValue), ("outcome", self.outcome.rawValue)]
    }
}

extension FileEnd.Outcome {
    /// Of a file that this side has stored.
    init(_ outcome: Publication.Outcome) {
        self =
            switch outcome {
            case .stored: .stored
            case .identical: .identical
            case .replaced: .replaced
            case .repaired: .repaired
            }
    }

    /// Of a file that the other side has stored; nil for one that it did not read.
    init(_ receipt: Receipt?) {
        self =
            switch receipt?.outcome {
            case .stored: .stored
            case .identical: .identical
            case .replaced: receipt?.repairedChunks == nil ? .replaced : .repaired
            case nil: .unchanged
            }
    }
}
