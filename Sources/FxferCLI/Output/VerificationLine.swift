import Fxfer
import FxferProtocol

/// A line of `verify`: what is wrong with one file, or was done about it.
struct VerificationLine {
    private let object: Object
    /// For a person.
    let text: String

    var json: String { JSONLine.text(self.object) }

    private struct Object: Encodable {
        let event: String
        /// Escaped without loss.
        var name: String?
        /// First byte and the one behind the last, of each range.
        var ranges: [[UInt64]]?
        /// Whether size or time is another, too.
        var rewritten: Bool?
        var sha256: String?
        var reason: String?
        /// How many damaged chunks were replaced.
        var chunks: Int?
    }

    /// Nil for what is no line.
    init?(_ event: VerificationEvent) {
        switch event {
        case .began, .progress:
            return nil
        case .changed(let path, let ranges, let isRewritten):
            self.object = Object(
                event: "changed",
                name: path.description,
                ranges: ranges.map { [$0.lowerBound, $0.upperBound] },
                rewritten: isRewritten
            )
            let bytes = ranges.map { "\($0.lowerBound) to \($0.upperBound - 1)" }.joined(separator: ", ")
            let how = isRewritten ? "changed (modified after it was stored)" : "changed"
            self.text = "\(how): \(path)\(bytes.isEmpty ? "" : ": bytes \(bytes)")"
        case .missing(let path):
            self.object = Object(event: "missing", name: path.description)
            self.text = "missing: \(path)"
        case .unreadable(let path, let reason, _):
            self.object = Object(event: "unreadable", name: EscapedText.escape(path), reason: reason)
            self.text = "unreadable: \(reason)"
        case .unknown(let path, let reason):
            self.object = Object(event: "unknown", name: EscapedText.escape(path), reason: reason)
            self.text = "unknown: \(EscapedText.escape(path))\(reason.map { ": not adopted: \($0)" } ?? "")"
        case .adopted(let path, let digest):
            self.object = Object(event: "adopted", name: path.description, sha256: digest.hex)
            self.text = "adopted: \(path)"
        case .repaired(let path, let chunks):
            self.object = Object(event: "repaired", name: path.description, chunks: chunks)
            let how = chunks == 0 ? "by somebody else meanwhile" : "\(HumanText.damagedChunks(chunks)) replaced"
            self.text = "repaired: \(path): \(how)"
        case .notRepaired(let path, let reason):
            self.object = Object(event: "not-repaired", name: path.description, reason: reason)
            self.text = "not repaired: \(path): \(reason)"
        case .ledger(let damage):
            self.object = Object(event: "ledger", reason: damage)
            self.text = "ledger: \(damage)"
        }
    }
}
