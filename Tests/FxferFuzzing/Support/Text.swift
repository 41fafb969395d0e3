import FxferProtocol

/// Makes sure that `text` is one line that does nothing to a terminal: no control character of C0 or C1, nothing that
/// turns the direction of text round.
func requireHarmless(_ text: String, _ what: @autoclosure () -> String) throws(BrokenRule) {
    let isHarmless = text.unicodeScalars.allSatisfy { scalar in
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB: false
        default: true
        }
    }
    try require(isHarmless, "\(what()) is not safe to print: \(Array(text.utf8))")
}
